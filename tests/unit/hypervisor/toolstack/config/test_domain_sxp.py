import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.errors import HostError
from hypervisor.toolstack.config.devices import parse_disk, parse_vfb, parse_vif
from hypervisor.toolstack.config.domain_sxp import (
    config_sxp,
    described_sxp,
    device_sxp,
    spec_from_sxp,
)
from hypervisor.toolstack.config.settings import domain0_spec, domain_spec
from hypervisor.toolstack.config.sxp import parse, to_text

TALK_PV = {
    "name": "rhel5pvtest",
    "memory": "500",
    "disk": [
        "tap:aio:/var/lib/xen/images/rhel5pvtest.dsk,xvda,w",
        "phy:/dev/sdb1,xvdb,w",
    ],
    "vif": ["mac=00:16:3e:48:fe:a6, bridge=xenbr0"],
    "vfb": ["type=vnc,vncunused=1"],
    "uuid": "494e5923-9911-7144-5604-a0e9ad798021",
    "bootloader": "/usr/bin/pygrub",
    "vcpus": 1,
}
WORDS = st.text(alphabet="abz09._/=- '\"()#\\é", max_size=12)
NAMES = st.text(alphabet="abz09._/-", min_size=1, max_size=10)


def spec(config, tools="3.0.3"):
    return domain_spec(config, tools=tools, pcpus=4, draw=random.Random(1))


def back(nested, tools="3.0.3"):
    return spec_from_sxp(nested, tools=tools, pcpus=4, draw=random.Random(2))


def test_the_talks_guest_is_sent_as_xm_sends_it():
    guest = spec(TALK_PV)
    assert to_text(config_sxp(guest)) == (
        "(vm (name rhel5pvtest) (memory 500) (maxmem 500) (on_poweroff destroy) "
        "(on_reboot restart) (on_crash restart) (vcpus 1) "
        "(uuid 494e5923-9911-7144-5604-a0e9ad798021) (bootloader /usr/bin/pygrub) "
        f"(image (linux (kernel {guest.kernel}) (ramdisk {guest.ramdisk}) "
        "(args 'ro root=/dev/VolGroup00/LogVol00 console=xvc0'))) "
        "(device (tap (uname tap:aio:/var/lib/xen/images/rhel5pvtest.dsk) (dev xvda) (mode w))) "
        "(device (vbd (uname phy:/dev/sdb1) (dev xvdb) (mode w))) "
        "(device (vif (mac 00:16:3e:48:fe:a6) (bridge xenbr0) (script vif-bridge))) "
        "(device (vkbd)) (device (vfb (type vnc) (vncunused 1))))"
    )


def test_xend_describes_a_domain_in_its_own_order():
    guest = spec({"name": "web", "kernel": "/k", "vif": ["mac=00:16:3e:00:00:01,rate=10MB/s"]})
    assert to_text(described_sxp(guest)) == (
        f"(domain (uuid {guest.uuid}) (vcpus 1) (cpu_weight 1.0) (memory 128) (shadow_memory 0) "
        "(maxmem 128) (features '') (name web) (on_poweroff destroy) (on_reboot restart) "
        "(on_crash restart) (image (linux (kernel /k))) "
        "(device (vif (backend 0) (script vif-bridge) (bridge xenbr0) (mac 00:16:3e:00:00:01) "
        "(rate 10MB/s@50ms))))"
    )


def test_the_new_tools_describe_the_weight_and_cap_that_they_apply():
    config = {"name": "web", "kernel": "/k", "cpu_weight": 512, "cpu_cap": 50}
    text = to_text(described_sxp(spec(config, "3.1"), "3.1"))
    assert "(vcpus 1) (cpu_cap 50) (cpu_weight 512) (memory 128)" in text


def test_domain_0_has_no_image():
    sxp = described_sxp(domain0_spec(vcpus=2, memory_kib=657 * 1024))
    assert "image" not in to_text(sxp)


@pytest.mark.parametrize(
    ("device", "text"),
    [
        (
            parse_disk("phy:sdb1,xvdb,w"),
            "(vbd (backend 0) (dev xvdb:disk) (uname phy:/dev/sdb1) (mode w))",
        ),
        (
            parse_disk("tap:aio:/a.iso,hdc:cdrom,r"),
            "(tap (backend 0) (dev hdc:cdrom) (uname tap:aio:/a.iso) (mode r))",
        ),
        (parse_disk(",hdc:cdrom,r"), "(vbd (backend 0) (dev hdc:cdrom) (mode r))"),
        (parse_vif("ip=10.0.0.1,bridge=b"), "(vif (backend 0) (ip 10.0.0.1) (bridge b))"),
        (parse_vfb("vncunused=1,type=vnc"), "(vfb (backend 0) (type vnc) (vncunused 1))"),
    ],
)
def test_a_device_is_told_as_xend_tells_it(device, text):
    assert text == to_text(device_sxp(device))


DISKS = st.lists(
    st.builds(
        "{}:/{},{}{},{}".format,
        st.sampled_from(["phy", "file", "tap:aio", "tap:qcow", "nbd"]),
        NAMES,
        st.sampled_from(["xvda", "xvdb1", "sda3", "hdc"]),
        st.sampled_from(["", ":cdrom"]),
        st.sampled_from(["r", "w", "w!"]),
    ),
    max_size=3,
    unique_by=lambda text: text.split(",")[1].removesuffix(":cdrom"),
)
RATES = st.builds(
    "{}{}{}/s{}".format,
    st.integers(0, 3000),
    st.sampled_from(["", "K", "M", "G"]),
    st.sampled_from("bB"),
    st.sampled_from(["", "@20ms", "@333us", "@1s", "@7s"]),
)
INTERFACES = st.from_regex(r"[a-z][a-z0-9.]{0,14}", fullmatch=True)
VIFS = st.lists(
    st.one_of(
        st.just(""),
        st.builds("bridge={},rate={}".format, NAMES, RATES),
        st.builds(
            "mac=00:16:3e:00:00:01,vifname={},model={},ip=10.0.0.1".format, INTERFACES, NAMES
        ),
    ),
    max_size=3,
)
CONFIGS = st.fixed_dictionaries(
    {"name": NAMES, "kernel": NAMES, "builder": st.sampled_from(["linux", "hvm"])},
    optional={
        "memory": st.integers(1, 10_000),
        "maxmem": st.integers(0, 20_000),
        "shadow_memory": st.integers(0, 100),
        "vcpus": st.integers(1, 32),
        "vcpu_avail": st.integers(1, 2**32),
        "cpus": st.sampled_from(["0", "1-2", "0-3", "2,3"]),
        "cpu_weight": st.integers(1, 65535),
        "cpu_cap": st.integers(0, 100),
        "ramdisk": NAMES,
        "root": WORDS,
        "extra": WORDS,
        "ip": NAMES,
        "dhcp": st.sampled_from(["off", "dhcp"]),
        "features": WORDS,
        "bootloader": st.just("/usr/bin/pygrub"),
        "bootargs": WORDS,
        "disk": DISKS,
        "vif": VIFS,
        "vfb": st.lists(st.sampled_from(["", "type=vnc,vncdisplay=3", "type=sdl,display=:0"]), max_size=2),
        "on_crash": st.sampled_from(["preserve", "destroy", "rename-restart"]),
        "restart": st.sampled_from(["always", "never"]),
        "localtime": st.booleans(),
        "boot": st.sampled_from("acd"),
        "vnc": st.booleans(),
        "vncunused": st.booleans(),
        "acpi": st.integers(0, 1),
        "usbdevice": WORDS,
        "keymap": NAMES,
        "rtc_timeoffset": st.integers(-9, 9),
        "on_xend_start": st.sampled_from(["ignore", "start"]),
        "xenprof_arch": st.sampled_from(["i386", "x86_64"]),
        "xenprof_drivers": st.just("pv"),
        "xenprof_os": st.sampled_from(["rhel3", "rhel4", "windows"]),
        "xenprof_workload": st.lists(st.sampled_from(["web", "oltp, clients=2"]), max_size=2),
    },
)  # fmt: skip


@settings(max_examples=300)
@given(CONFIGS, st.sampled_from(["3.0.3", "3.1"]), st.booleans())
def test_a_domain_sent_is_the_domain_received(config, tools, as_text):
    if not config.get("disk"):
        config.pop("bootloader", None)
    guest = spec(config, tools)
    nested = config_sxp(guest)
    assert guest == back(parse(to_text(nested)) if as_text else nested, tools)


def test_an_empty_drive_is_sent_and_received():
    guest = spec({"name": "w", "kernel": "k", "disk": [",hdc:cdrom,r"]})

    assert "(vbd (uname '') (dev hdc:cdrom) (mode r))" in to_text(config_sxp(guest))
    assert guest == back(config_sxp(guest))


def test_a_description_of_a_running_domain_can_be_created_again():
    guest = spec(TALK_PV)
    nested = described_sxp(guest)
    assert isinstance(nested, list)
    nested[1:1] = [["domid", "3"]]
    nested += [["state", "-b----"], ["shutdown_reason", "poweroff"], ["cpu_time", "7.25"]]
    assert guest == back(nested)


def test_a_configuration_whose_bootloader_has_not_run_runs_it():
    nested = parse(
        "(vm (name a) (bootloader /usr/bin/pygrub) (image (linux)) "
        "(device (tap (uname tap:aio:/a.dsk) (dev xvda) (mode w))))"
    )
    assert back(nested).kernel.startswith("/var/lib/xen/vmlinuz.")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vm", "not a domain's configuration: it has to begin with (vm or (domain"),
        ("(host (name a))", "not a domain's configuration: it has to begin with (vm or (domain"),
        ("(vm)", "No kernel specified"),
        ("(vm (image (linux (kernel /k))))", "Missing VM Name"),
        ("(vm (name a))", "No kernel specified"),
        ("(vm (name a) (image (linux (kernel /k))) (memory x))", "invalid value for memory: 'x' is not a number"),
        ("(vm (name a) (image (linux (kernel /k))) (device (vbd (uname phy:a))))", "Invalid mode:  in disk 'phy:a,,'; use r, w or w!"),
        ("(vm (name a) (image (linux (kernel /k))) (device (vif (speed 9))))", "Invalid vif option: speed; use type, mac, bridge, ip, script, backend, vifname, rate, model"),
        ("(vm (name a) (image (linux (kernel /k))) (device (vif (mac 'a,b'))))", "Invalid vif option: mac has a comma in its value"),
        ("(vm (name a) (image (linux (kernel /k))) (device (floppy)))", "unknown device 'floppy' in the configuration"),
        ("(vm (name a) (image (linux (kernel /k))) (backend (blkif)))", "blkif is refused: driver domains do not exist here: all backends are in Domain-0; leave it out"),
        ("(vm (name a) (image (plan9 (kernel /k))))", "Unknown builder 'plan9'; use linux or hvm"),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_is_refused_in_one_line(text, message):
    with pytest.raises(HostError) as refused:
        back(parse(text))
    assert message == str(refused.value)


NESTED = st.recursive(
    st.sampled_from(["vm", "domain", "name", "image", "linux", "hvm", "kernel", "device", "vif",
                     "vbd", "uname", "dev", "mode", "memory", "backend", "1", "x", ""]),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=30,
)  # fmt: skip


@given(NESTED)
def test_any_expression_is_a_domain_or_one_clear_error(nested):
    try:
        back(["vm", *nested] if isinstance(nested, list) else nested)
    except HostError as refused:
        assert str(refused)
