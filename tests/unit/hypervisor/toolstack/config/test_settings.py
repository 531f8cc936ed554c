import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.errors import HostError
from hypervisor.toolstack.config.configfile import parse_config
from hypervisor.toolstack.config.options import (
    IGNORED,
    LIST,
    MODELLED,
    OPTIONS,
    REFUSED,
    option_rows,
)
from hypervisor.toolstack.config.settings import check_backend, domain_spec
from tests.support.paths import TESTS

FILES = TESTS / "fixtures" / "xm"
PLAIN = {"name": "web", "kernel": "/boot/vmlinuz", "memory": 64}
LOADED = {"name": "web", "bootloader": "/usr/bin/pygrub", "disk": ["phy:sda1,xvda,w"]}
HVM = {"name": "w", "builder": "hvm", "kernel": "/usr/lib/xen/boot/hvmloader", "memory": 500}


def spec(*configs, tools="3.0.3", pcpus=4):
    config = {key: value for one in configs for key, value in one.items()}
    return domain_spec(config, tools=tools, pcpus=pcpus, draw=random.Random(1))


def of_file(name, **overrides):
    text = (FILES / name).read_text()
    return spec(parse_config(text, name, overrides))


def refusal(*configs, **host):
    with pytest.raises(HostError) as refused:
        spec(*configs, **host)
    return str(refused.value)


SECTION_4_2 = """
name uuid memory maxmem shadow_memory vcpus cpu cpus cpu_weight cpu_cap builder kernel ramdisk root
extra features bootloader bootargs bootentry disk vif pci ioports irq usbport vtpm nics on_poweroff
on_reboot on_crash restart blkif netif tpmif ip gateway netmask hostname interface dhcp nfs_server
nfs_root device_model boot fda fdb serial stdvga isa nographic soundhw localtime usb usbdevice pae
acpi apic vnc vncdisplay vncunused vnclisten vncviewer vncconsole sdl display xauthority vfb
access_control vcpu_avail rtc_timeoffset vncpasswd keymap monitor on_xend_start on_xend_stop
"""


def test_every_option_of_xm_create_has_a_row_and_no_name_has_two():
    names = [option.name for option in OPTIONS if not option.name.startswith("xenprof_")]
    assert sorted(names) == sorted(SECTION_4_2.split())


def test_every_option_that_is_not_modelled_says_why():
    assert [o.name for o in OPTIONS if o.treatment not in (MODELLED, IGNORED, REFUSED)] == []
    assert [o.name for o in OPTIONS if not o.note] == []


def test_help_has_a_row_for_each_option_that_the_tools_know():
    new = {"cpu_cap", "vcpu_avail", "rtc_timeoffset", "vncpasswd", "keymap", "monitor",
           "on_xend_start", "on_xend_stop"}  # fmt: skip
    rows = {
        tools: {row[0].partition("=")[0] for row in option_rows(tools)}
        for tools in ("3.0.3", "3.1")
    }
    assert rows["3.1"] - rows["3.0.3"] == new


@pytest.mark.parametrize(
    "option", [o for o in OPTIONS if o.treatment == REFUSED], ids=lambda o: o.name
)
def test_a_refused_option_says_its_reason(option):
    value = ["x"] if option.type == LIST else "yes"
    assert f"{option.name} is refused: {option.note}; leave it out" == refusal(
        PLAIN, {option.name: value}
    )


@pytest.mark.parametrize(
    "option", [o for o in OPTIONS if o.treatment == REFUSED], ids=lambda o: o.name
)
def test_a_refused_option_may_be_written_with_nothing_in_it(option):
    assert spec(PLAIN) == spec(PLAIN, {option.name: [] if option.type == LIST else 0})


@pytest.mark.parametrize(
    "option", [o for o in OPTIONS if o.type in ("number", "real", "flag")], ids=lambda o: o.name
)
def test_a_number_that_is_none_is_refused_by_name(option):
    message = f"invalid value for {option.name}: 'lots' is not a number"
    assert message == refusal(PLAIN, {option.name: "lots"}, tools="3.1")


@given(
    st.sampled_from([option.name for option in OPTIONS]),
    st.one_of(
        st.text(max_size=20),
        st.integers(),
        st.floats(),
        st.booleans(),
        st.none(),
        st.lists(st.one_of(st.text(max_size=20), st.integers()), max_size=4),
    ),
    st.sampled_from([PLAIN, LOADED, HVM]),
    st.sampled_from(["3.0.3", "3.1"]),
)
def test_any_value_of_any_option_makes_a_domain_or_one_clear_error(name, value, base, tools):
    try:
        assert spec(base, {name: value}, tools=tools).kind in ("pv", "hvm")
    except HostError as refused:
        assert str(refused)


def test_numbers_may_be_written_as_strings():
    guest = spec(PLAIN, {"memory": "500", "maxmem": "600", "vcpus": "2"})
    assert (guest.memory_kib, guest.maximum_kib, guest.vcpus) == (500 * 1024, 600 * 1024, 2)


@pytest.mark.parametrize(
    ("settings", "actions"),
    [
        ({}, ("destroy", "restart", "restart")),
        ({"restart": "onreboot"}, ("destroy", "restart", "destroy")),
        ({"restart": "always"}, ("restart", "restart", "restart")),
        ({"restart": "never"}, ("destroy", "destroy", "destroy")),
        ({"restart": "sometimes"}, ("destroy", "restart", "restart")),
        ({"restart": "never", "on_crash": "preserve"}, ("destroy", "destroy", "preserve")),
    ],
)
def test_the_old_restart_option_means_three_actions(settings, actions):
    guest = spec(PLAIN, settings)
    assert actions == (guest.on_poweroff, guest.on_reboot, guest.on_crash)


@pytest.mark.parametrize(
    ("settings", "affinity"),
    [
        ({}, None),
        ({"cpus": "any"}, None),
        ({"cpus": "0-3,^1"}, (0, 2, 3)),
        ({"cpus": "0-3"}, None),
        ({"cpus": 2}, (2,)),
        ({"cpu": 1}, (1,)),
        ({"cpu": "1", "cpus": "3"}, (1, 3)),
        ({"cpu": -1, "cpus": "3"}, (3,)),
        ({"cpu": 1, "cpus": "2,^1"}, (2,)),
        ({"cpus": "3,9"}, (3,)),
    ],
)
def test_cpu_stands_in_front_of_cpus(settings, affinity):
    assert affinity == spec(PLAIN, settings).affinity


def test_nics_adds_empty_vifs_up_to_its_number():
    guest = spec(PLAIN, {"vif": ["bridge=xenbr1"], "nics": 3})
    assert [vif.bridge for vif in guest.vifs] == ["xenbr1", "xenbr0", "xenbr0"]


@pytest.mark.parametrize(("maxmem", "mib"), [(None, 64), (0, 64), (32, 64), (128, 128)])
def test_the_ceiling_is_maxmem_but_never_below_memory(maxmem, mib):
    assert spec(PLAIN, {"maxmem": maxmem}).maximum_kib == mib * 1024


@pytest.mark.parametrize(
    ("settings", "mib"),
    [
        ({}, 3),  # 1 MiB + 500 x 4 KiB, in whole MiB
        ({"memory": 1024, "vcpus": 2}, 6),
        ({"shadow_memory": 8}, 8),
        ({"shadow_memory": 1}, 3),
    ],
)
def test_an_hvm_guest_gets_the_shadow_memory_that_it_needs(settings, mib):
    assert spec(HVM, settings).shadow_kib == mib * 1024


def test_a_paravirtualized_guest_has_no_shadow_memory():
    assert spec(PLAIN, {"shadow_memory": 8}).shadow_kib == 0


@pytest.mark.parametrize(
    ("settings", "command_line"),
    [
        ({}, ""),
        ({"root": "/dev/sda1 ro", "extra": "4"}, "root=/dev/sda1 ro 4"),
        ({"root": "root=/dev/sda1"}, "root=/dev/sda1"),
        ({"dhcp": "dhcp"}, "ip=:1.2.3.4::::eth0:dhcp"),
        (
            {"ip": "10.0.0.7", "gateway": "10.0.0.1", "netmask": "255.0.0.0", "hostname": "a",
             "interface": "eth1", "nfs_server": "10.0.0.2"},
            "ip=10.0.0.7:10.0.0.2:10.0.0.1:255.0.0.0:a:eth1:off",
        ),
        (
            {"nfs_server": "n", "nfs_root": "/r", "root": "/dev/nfs", "extra": "3"},
            "root=/dev/nfs nfsroot=n:/r 3",
        ),
    ],
)  # fmt: skip
def test_the_kernels_command_line_is_ip_root_and_extra(settings, command_line):
    assert command_line == spec(PLAIN, settings).command_line


def test_an_nfs_root_needs_a_server():
    assert refusal(PLAIN, {"nfs_root": "/r"}) == "Must set nfs root and nfs server"


def test_a_bootloaders_kernel_wins_over_the_one_named():
    guest = spec(PLAIN, LOADED)
    assert guest.kernel.startswith("/var/lib/xen/vmlinuz.")


def test_a_bootloaders_kernel_keeps_the_extra_arguments_after_its_own():
    assert spec(LOADED, {"extra": "single"}).command_line == (
        "ro root=/dev/VolGroup00/LogVol00 console=xvc0 single"
    )


def test_a_bootloader_needs_a_disk():
    assert refusal(LOADED, {"disk": []}) == "No disks configured and boot loader requested"


def test_bootentry_is_the_old_way_to_write_bootargs():
    assert spec(LOADED, {"bootentry": "2"}).bootargs == "--entry=2"


@pytest.mark.parametrize(
    "settings", [{"kernel": ""}, {"kernel": "", "bootloader": "/usr/bin/pygrub"}]
)
def test_an_hvm_guest_needs_its_loader_as_kernel(settings):
    assert refusal(HVM, settings) == "No kernel specified"


def test_an_hvm_guest_keeps_the_settings_of_its_device_model_in_xms_order():
    guest = spec(HVM, {"vnc": 1, "acpi": "1", "boot": "cda", "serial": "pty"})
    assert guest.device_model == (
        ("boot", "cda"), ("serial", "pty"), ("vnc", "1"), ("vncunused", "1"), ("acpi", "1"),
    )  # fmt: skip


def test_a_flag_may_be_a_word():
    assert spec(PLAIN, {"localtime": "yes"}).localtime


@pytest.mark.parametrize(
    ("tools", "expected"), [("3.0.3", (256, 0, 512.5)), ("3.1", (512, 50, 1.0))]
)
def test_only_the_new_tools_apply_weight_and_cap(tools, expected):
    guest = spec(PLAIN, {"cpu_weight": "512.5", "cpu_cap": 50}, tools=tools)
    assert expected == (guest.weight, guest.cap_percent, guest.legacy_cpu_weight)


@pytest.mark.parametrize(
    ("mask", "online"), [(None, (0, 1, 2)), (0b101, (0, 2)), ("4", (0, 2)), (0xFF, (0, 1, 2))]
)
def test_vcpu_avail_says_which_vcpus_are_online_at_the_start(mask, online):
    guest = spec(PLAIN, {"vcpus": 3, "vcpu_avail": mask}, tools="3.1")
    assert online == guest.initial_vcpus


def test_an_option_of_newer_tools_is_a_variable_for_older_ones():
    assert spec(PLAIN, {"vcpu_avail": "lots"}, tools="3.0.3").vcpu_avail is None


@pytest.mark.parametrize(
    "script", ["vif-nat", "vif-route", "/etc/xen/scripts/vif-nat", "network-nat"]
)
def test_nat_and_routed_networking_are_refused_as_broken_upstream(script):
    assert "is broken upstream (Red Hat Summit 2007, Networking)" in refusal(
        PLAIN, {"vif": [f"script={script}"]}
    )


def test_a_bridge_on_a_dummy_device_is_a_bridge_like_any_other():
    assert spec(PLAIN, {"vif": ["bridge=dummybr0"]}).vifs[0].bridge == "dummybr0"


def test_a_device_whose_backend_is_another_guest_is_refused():
    assert refusal(PLAIN, {"disk": ["phy:sda1,xvda,w,store"]}) == (
        "backend 'store': driver domains do not exist here: all backends are in Domain-0"
    )


@pytest.mark.parametrize("name", ["", "0", "Domain-0"])
def test_domain_0_is_a_backend_under_all_its_names(name):
    assert check_backend(name) == "Domain-0"


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, ("", "")),
        ({"kernel": "/boot/vmlinuz-2.6.18-8.el5xen"}, ("", "")),
        ({"kernel": "/boot/vmlinuz-2.6.18-8.el5xenPAE"}, ("i386", "")),
        ({"kernel": "/boot/vmlinuz-2.6.9-55.EL.i686"}, ("i386", "")),
        ({"kernel": "/boot/vmlinuz-2.6.9-55.ELxenU"}, ("", "rhel4")),
        ({"kernel": "/boot/vmlinuz-2.6.9-55.EL.xenU.x86_64"}, ("x86_64", "rhel4")),
        ({"xenprof_arch": "i386", "xenprof_os": "windows"}, ("i386", "windows")),
    ],
)
def test_a_guests_architecture_and_system_are_said_or_seen_from_its_kernel(settings, kind):
    guest = spec(PLAIN, settings)
    assert kind == (guest.arch, guest.os)


def test_a_config_file_of_the_shipped_kind_makes_a_guest():
    guest = of_file("webserver.cfg")
    assert (guest.affinity, len(guest.vifs), guest.disks[0].device, guest.command_line) == (
        (0, 2, 3), 1, 3 * 256 + 1, "root=/dev/hda1 ro 4",
    )  # fmt: skip


def test_a_config_file_for_an_nfs_root_makes_a_guest():
    guest = of_file("nfsroot.cfg")
    assert (guest.name, guest.vifs[0].mac, guest.command_line) == (
        "node7",
        "00:16:3e:00:00:07",
        "ip=10.0.0.7:10.0.0.2:10.0.0.1:255.255.255.0:node7.example.com:eth0:off root=/dev/nfs "
        "nfsroot=10.0.0.2:/exports/node7 3",
    )


def test_a_config_file_that_puts_lists_together_makes_a_guest():
    guest = of_file("lists.cfg")
    assert [disk.source for disk in guest.disks] == [
        "tap:aio:/var/lib/xen/images/store.dsk",
        "phy:/dev/vg0/data1",
        "file:/var/lib/xen/images/docs.img",
        "file:/iso/rhel5.iso",
    ]


def test_a_config_file_of_the_shipped_hvm_kind_without_its_code_makes_a_guest():
    guest = of_file("desktop.cfg")
    assert (guest.kind, dict(guest.device_model)["boot"]) == ("hvm", "cda")


def test_a_config_file_may_have_an_empty_cdrom_drive():
    guest = of_file("empty-cdrom.cfg")
    disks = [(disk.frontend, disk.source, disk.is_cdrom) for disk in guest.disks]

    assert [
        ("hda", "file:/var/lib/xen/images/h1.img", False),
        ("hdc", "", True),
    ] == disks


def test_a_config_file_that_asks_the_machine_is_refused_at_its_first_line_of_code():
    with pytest.raises(HostError) as refused:
        of_file("conditional.cfg")
    assert str(refused.value) == (
        "conditional.cfg:2: code is not executed here; instead of importing write the values "
        "themselves; NAME=VALUE on the command line sets NAME for the file"
    )


@pytest.mark.parametrize("key", ["extra", "kernel", "root", "disk", "vif", "xenprof_workload"])
@pytest.mark.parametrize("text", ["a\nb", "a\x1b[31m", "a\u2028b"])
def test_a_text_that_would_break_a_line_is_refused_in_one(key, text):
    message = refusal(PLAIN, {key: text})
    assert message.startswith(f"invalid value for {key}: 'a\\")
    assert message.endswith("' has a character that cannot be printed")
