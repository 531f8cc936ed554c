import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.toolstack.configfile import MAXIMUM_TEXT, ConfigFileError, parse_config
from hypervisor.toolstack.settings import domain_spec

PARAVIRTUALIZED = """\
# Automatically generated xen config file
name = "rhel5pvtest"
memory = "500"
disk = ['tap:aio:/var/lib/xen/images/rhel5pvtest.dsk,xvda,w',
'phy:/dev/sdb1,xvdb,w', ]
#
vif = [ 'mac=00:16:3e:48:fe:a6, bridge=xenbr0', ]
vfb = ["type=vnc,vncunused=1"]
uuid = "494e5923-9911-7144-5604-a0e9ad798021"
bootloader="/usr/bin/pygrub"
vcpus=1
on_reboot    = 'restart'
on_crash     = 'restart'
"""
FULLY_VIRTUALIZED = """\
# Automatically generated xen config file
name = "rhel5fvtest"
builder = "hvm"
memory = "500"

disk = [ 'file:/var/lib/xen/images/rhel5fvtest.dsk,hda,w',
         'phy:/dev/sdb1,hdb,w' , ]
vif = [ 'type=ioemu, mac=00:16:3e:78:aa:da, bridge=xenbr0' , ]
uuid = "6329dc89-6d8a-a350-4163-0c806baaffd0"
device_model = "/usr/lib/xen/bin/qemu-dm"
kernel = "/usr/lib/xen/boot/hvmloader"
vnc=1
vncunused=1
apic=1
acpi=1
"""


def spec(text):
    return domain_spec(parse_config(text, "guest"), tools="3.0.3", pcpus=4, draw=random.Random(1))


def test_the_talks_paravirtualized_file_makes_a_pv_guest_with_two_disks():
    guest = spec(PARAVIRTUALIZED)
    assert (
        guest.kind,
        guest.name,
        guest.memory_kib,
        [disk.device for disk in guest.disks],
    ) == ("pv", "rhel5pvtest", 500 * 1024, [51712, 51728])


def test_the_talks_fully_virtualized_file_makes_an_hvm_guest_with_two_ide_disks():
    guest = spec(FULLY_VIRTUALIZED)
    assert (
        guest.kind,
        [disk.device for disk in guest.disks],
        [vif.type for vif in guest.vifs],
    ) == ("hvm", [768, 832], ["ioemu"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x = 'a' 'b'", "ab"),
        ("x = 'a' + 'b'", "ab"),
        ("x = ['a'] + ['b']", ["a", "b"]),
        ("n = 3\nx = 'vm%d' % n", "vm3"),
        ("x = '%s-%02d' % ('a', 7)", "a-07"),
        ("x = '100%%'", "100%%"),
        ("x = -1", -1),
        ("x = 1 + 2", 3),
        ("x = ['a']\nx += ['b']", ["a", "b"]),
        ("x = y = 'a'", "a"),
        ("'''text'''\nx = r'\\d'", "\\d"),
        ("x = '\\d'", "\\d"),
        ("x = True", True),
    ],
)
def test_the_data_subset_of_python_is_understood(text, value):
    assert value == parse_config(text, "f")["x"]


def test_tuples_and_none_are_variables_but_no_settings():
    assert parse_config("t = (1, 2)\nn = None\nx = '%d-%d' % t", "f") == {"x": "1-2"}


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "x = open('/etc/passwd')",
        "x = a.b",
        "x = {}",
        "x = [1 for i in y]",
        "x = f'{1}'",
        "x = b'1'",
        "x = 'a' * 9",
        "x = 2 ** 9",
        "x = [[1]]",
        "x = lambda: 1",
        "x[0] = 1",
        "a, b = 1, 2",
        "if 1: x = 2",
        "x = y",
        "x = 'a' + 1",
        "x = '%(x)s' % 1",
        "x = '%d' % 'a'",
        "x = '%9999d' % 1",
        "x = 99999999999999999999",
        "x = 1e999",
        "print 'x'",
        "x = 'unclosed",
    ],
)
def test_everything_else_is_refused_with_file_and_line(line):
    with pytest.raises(ConfigFileError, match=r"^/etc/xen/guest:2: "):
        parse_config(f"name = 'a'\n{line}\n", "/etc/xen/guest")


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 60_000,
        "x = " + "-" * 60_000 + "1",
        "x = " + "+".join(["1"] * 30_000),
        "x = a" + ".b" * 30_000,
        "x = 1" + " if 1 else 1" * 5_000,
        "x = " + "9" * 5_000,
        "a = 'xxxxxxxx'\n" + "a = a + a\n" * 64,
        "a = [1]\n" + "a = a + a\n" * 64,
        "a = '%s'\n".replace("%s", "x" * 30_000) + "a = [a, a, a, a]\n" * 64,
        "x = '%999d' % 1\n" * 3_000,
        "\x7fELF\0\0\0",
        "x = '\ud800'",
        "#" * (MAXIMUM_TEXT + 1),
    ],
    ids=lambda text: text[:12],
)
def test_hostile_files_are_refused(text):
    with pytest.raises(ConfigFileError):
        parse_config(text, "f")


TOKENS = ["x", "=", "'a'", "[", "]", "(", ")", ",", "+", "-", "%", "1", "\n", " ", "*", "'%s'", ":"]


@given(st.one_of(st.text(), st.lists(st.sampled_from(TOKENS), max_size=30).map("".join)))
def test_no_text_raises_anything_but_the_files_own_error(text):
    try:
        values = parse_config(text, "f")
    except ConfigFileError as refusal:
        assert str(refusal).startswith("f:")
    else:
        assert all(isinstance(value, str | int | float | list) for value in values.values())


def test_a_setting_on_the_command_line_wins_over_the_file():
    values = parse_config("memory = 64\nname = 'a'", "f", {"memory": ["256"]})
    assert values == {"memory": "256", "name": "a"}


def test_several_disks_on_the_command_line_replace_the_files_list():
    values = parse_config("disk = ['a']", "f", {"disk": ["b", "c"]})
    assert values == {"disk": ["b", "c"]}


def test_an_unknown_name_on_the_command_line_is_a_variable_for_the_file():
    values = parse_config("name = 'vm' + vmid", "f", {"vmid": ["7"]})
    assert values["name"] == "vm7"
