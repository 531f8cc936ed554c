import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.toolstack.config.configfile import MAXIMUM_TEXT, ConfigFileError, parse_config
from hypervisor.toolstack.config.settings import domain_spec

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
        ("x = [''] * 2", ["", ""]),
        ("x = 3 * 'ab'", "ababab"),
        ("x = 'a' * -1", ""),
        ("x = 64 * 1024 - 1", 65535),
        ("x = 1025 / 2", 512),
        ("x = 1025 // 2", 512),
        ("x = 1025 / 2.0", 512.5),
        ("x = 1025 % 2", 1),
        ("vmid = 2\nx = ['mac=00:16:3e:00:00:%02X' % vmid]", ["mac=00:16:3e:00:00:02"]),
        ("x = 'id=%(vmid)d' % {'vmid': 2}", "id=2"),
        ("x = '%(a)s-%(a)03d%%' % {'a': 7, 'b': 1}", "7-007%"),
        ("x = int('12') + 1", 13),
        ("x = int(2.7)", 2),
        ("x = 'vm' + str(7)", "vm7"),
    ],
)
def test_the_data_subset_of_python_is_understood(text, value):
    assert value == parse_config(text, "f")["x"]


def test_a_word_of_the_command_line_is_a_text_that_int_makes_a_number():
    text = "name = 'VM%d' % int(vmid)\nmemory = 64 * int(vmid)"

    assert {"name": "VM3", "memory": 192, "vmid": "3"} == parse_config(text, "f", {"vmid": "3"})


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
        "x = 2 ** 9",
        "x = 1 / 0",
        "x = 1 % 0",
        "x = 'a' - 1",
        "x = ['a'] * ['b']",
        "x = 1 << 9",
        "x = int('a')",
        "x = int([1])",
        "x = int(1, 2)",
        "x = str(None)",
        "x = '%(a)d' % {'b': 1}",
        "x = '%(a)d' % {'a': [1]}",
        "x = '%(a)d' % {**y}",
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
        "a = ['']\n" + "a = a + a\n" * 64,
        "a = ['']\n" + "a += a\n" * 64,
        "a = 'x'\n" + "a = '%s%s' % (a, a)\n" * 64,
        "x = " + "lambda:" * 9_000 + "1",
        "x = " + "not " * 15_000 + "1",
        "x = " + "{" * 60_000,
        "x = '''" + "x" * 60_000,
        "if 1:\n" + "".join(" " * n + "if 1:\n" for n in range(1, 200)),
        "x = f" + repr("{1:" * 5_000),
        "@" * 60_000,
        "\\\n" * 30_000 + "@",
        "x = 0x" + "f" * 50_000,
        "x = 1e" + "9" * 50_000,
        "a = '%s'\n".replace("%s", "x" * 30_000) + "a = [a, a, a, a]\n" * 64,
        "x = '%999d' % 1\n" * 3_000,
        "x = 'a' * 999999999",
        "x = [''] * 999999999",
        "a = 'x' * 999\n" + "a = a * 9\n" * 64,
        "x = '%s' % {'a': 'x' * 999}\n" * 2_000,
        "x = '" + "%(a)s" * 9_000 + "' % {'a': 'x' * 9000}",
        "x = 9999999999 * 9999999999",
        "x = 1e308 * 10",
        "\x7fELF\0\0\0",
        "x = '\ud800'",
        "#" * (MAXIMUM_TEXT + 1),
    ],
    ids=lambda text: text[:12],
)
def test_hostile_files_are_refused(text):
    with pytest.raises(ConfigFileError):
        parse_config(text, "f")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "import os, re",
            "code is not executed here; instead of importing write the values themselves; "
            "NAME=VALUE on the command line sets NAME for the file",
        ),
        (
            "for i in range(3):\n    disk.append('phy:/dev/vg0/d%d,xvd%s,w' % (i, 'abc'[i]))",
            "code is not executed here; instead of a loop write every entry out: "
            "disk = ['phy:a,xvda,w', 'phy:b,xvdb,w']",
        ),
        (
            "disk = ['phy:/dev/vg0/d%d,xvda%d,w' % (i, i) for i in range(1, 3)]",
            "code is not executed here; instead of a loop write every entry out: "
            "disk = ['phy:a,xvda,w', 'phy:b,xvdb,w']",
        ),
        (
            "if 1: x = 2",
            "code is not executed here; instead of a condition write the value itself; "
            "NAME=VALUE on the command line sets NAME for the file",
        ),
        (
            "def vmid_check(var, val):\n    return int(val)",
            "code is not executed here; instead of a function write the value itself; "
            "NAME=VALUE on the command line sets NAME for the file",
        ),
        (
            "xm_vars.var('vmid', use='id', check=vmid_check)",
            "code is not executed here; xm_vars is not needed: "
            "NAME=VALUE on the command line sets NAME for the file",
        ),
        (
            "name = os.getenv('VM', 't1')",
            "code is not executed here; instead of asking the system write the value itself; "
            "NAME=VALUE on the command line sets NAME for the file",
        ),
        (
            "arch = os.uname()[4]",
            "code is not executed here; instead of asking the system write the value itself; "
            "NAME=VALUE on the command line sets NAME for the file",
        ),
        (
            "disk.append('phy:a,xvda,w')",
            "code is not executed here; instead of append write NAME = NAME + ['...']",
        ),
        (
            "x = 'vm{}'.format(1)",
            "code is not executed here; instead of format write '...%s' % NAME",
        ),
        ("x = open('a').read()", "code is not executed here; write the value itself"),
        ("name = 'vm%d' % int(vmid)", "name 'vmid' is not defined"),
        ("x = '\0'", "not a config file (binary)"),
        ("x = " + "y" * 999, f"name '{'y' * 40}' is not defined"),
        ("print 'x'", "code is not executed here"),
        ("name = webserver", "name 'webserver' is not defined"),
        ("x = {1: 2}", "only literals, lists, names and arithmetic are understood"),
        ("x = 2 ** 9", "only + - * / // and % are understood"),
    ],
)
def test_a_refusal_says_what_is_understood_instead(line, message):
    with pytest.raises(ConfigFileError) as refused:
        parse_config(line, "guest")
    assert f"guest:1: {message}" == str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "a = ['x']\n" + "a = a + a\n" * 64,
        "a = ['']\n" + "a = a + a\n" * 64,
        "a = 'x'\n" + "a = a + a\n" * 64,
        "x = '%999d' % 1\n" * 3_000,
    ],
    ids=["lists", "empty", "strings", "formats"],
)
def test_a_file_that_grows_takes_a_bounded_amount_of_memory(text):
    parse_config("x = 1", "f")  # modules that are loaded once do not count
    tracemalloc.start()
    try:
        with pytest.raises(ConfigFileError, match="the file grows too large here"):
            parse_config(text, "f")
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=2_000))
def test_no_bytes_raise_anything_but_the_files_own_error(data):
    try:
        parse_config(data.decode("latin-1"), "f")
    except ConfigFileError as refused:
        assert "\n" not in str(refused)


CODE = [
    "import os\n", "x = [", "]", "'a'", "name", " = ", "(", ")", "%", "+", "9" * 40, "1e400", "-", "\n",
    "    ", "if 1:", "lambda: ", "def f(): ", "f'{x}'", "b'x'", "'''", "# c", "\\", "**", "[0]", ".a",
    "exec('1')", "{", "}", ":", ";", "disk", "+=", "'%s'", "'%99d'", ",", "None", "True", "\0", "\ufeff",
]  # fmt: skip


@given(st.lists(st.sampled_from(CODE), max_size=60).map("".join))
def test_no_code_raises_anything_but_the_files_own_error(text):
    try:
        values = parse_config(text, "f")
    except ConfigFileError as refused:
        assert str(refused).startswith("f:")
    else:
        assert all(isinstance(value, str | int | float | list) for value in values.values())


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
