from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.toolstack.config.domain_sxp import described_sxp, spec_from_sxp
from hypervisor.toolstack.config.settings import domain_spec
from hypervisor.toolstack.config.sxp import Sxp, parse, to_text
from tests.support.virsh_guests import DESKTOP, DOMAIN_0, WINDOOF
from xenprof.cli.virsh.xml import XmlError, domain_xml, vm_sxp
from xenprof.cli.virsh.xml.sxp import text_at
from xenprof.client import ServiceError

PLAIN = """<domain type='xen'>
  <name>web</name><os><kernel>/boot/vmlinuz</kernel></os>{}
</domain>"""


def test_what_xend_is_sent_for_a_paravirtualized_guest_is_what_it_told():
    expected = [
        "vm",
        ["name", "DesktopVM"],
        ["memory", "400"],
        ["maxmem", "512"],
        ["vcpus", "1"],
        ["uuid", "d2b2fbb19f7e4e1cb5a36c0f2a1d0c55"],
        ["bootloader", "/usr/bin/pygrub"],
        ["on_poweroff", "destroy"],
        ["on_reboot", "restart"],
        ["on_crash", "preserve"],
        [
            "image",
            [
                "linux",
                ["kernel", "/var/lib/xen/boot_kernel.Ab3xYz"],
                ["ramdisk", "/var/lib/xen/boot_ramdisk.Q1w2E3"],
                ["args", "ro root=LABEL=/ console=xvc0 note='a<b&c'"],
            ],
        ],
        ["device", ["vif", ["mac", "00:16:3e:48:fe:a6"], ["bridge", "xenbr0"],
                    ["script", "vif-bridge"]]],
        ["device", ["vif", ["mac", "00:16:3e:48:fe:a7"], ["ip", "10.0.0.5"],
                    ["script", "vif-route"], ["vifname", "desk1"]]],
        ["device", ["vbd", ["dev", "xvda:disk"], ["uname", "phy:/dev/sdb1"], ["mode", "w"]]],
        ["device", ["tap", ["dev", "xvdb:disk"], ["uname", "tap:aio:/xen/desktop.dsk"],
                    ["mode", "w!"]]],
        ["device", ["vkbd"]],
        ["device", ["vfb", ["type", "vnc"], ["vncdisplay", "5"]]],
    ]  # fmt: skip
    assert expected == vm_sxp(domain_xml(DESKTOP))


def test_what_xend_is_sent_for_an_hvm_guest_is_what_it_told():
    expected = [
        "vm",
        ["name", "WinDoof"],
        ["memory", "512"],
        ["maxmem", "512"],
        ["vcpus", "1"],
        ["uuid", "5c3e2f6a0d3b4a559a2f2f1b6a3c9d10"],
        ["on_poweroff", "destroy"],
        ["on_reboot", "restart"],
        ["on_crash", "restart"],
        [
            "image",
            [
                "hvm",
                ["kernel", "/usr/lib/xen/boot/hvmloader"],
                ["device_model", "/usr/lib64/xen/bin/qemu-dm"],
                ["boot", "c"],
                ["fda", "/dev/fd0"],
                ["acpi", "1"],
                ["pae", "1"],
                ["vnc", "1"],
                ["vncdisplay", "3"],
            ],
        ],
        ["device", ["vif", ["mac", "00:16:3e:11:22:33"], ["bridge", "xenbr0"],
                    ["script", "vif-bridge"], ["type", "ioemu"]]],
        ["device", ["vbd", ["dev", "hda:disk"], ["uname", "file:/var/lib/xen/images/windoof.img"],
                    ["mode", "w"]]],
        ["device", ["vbd", ["dev", "hdc:cdrom"], ["uname", "phy:/dev/hda"], ["mode", "r"]]],
    ]  # fmt: skip
    assert expected == vm_sxp(domain_xml(WINDOOF))


@pytest.mark.parametrize("guest", [DESKTOP, WINDOOF], ids=["pv", "hvm"])
def test_xml_is_the_same_after_a_way_through_xend(guest):
    text = domain_xml(guest)
    sent = vm_sxp(text)

    assert text == domain_xml(["domain", guest[1], *sent[1:]])


@pytest.mark.parametrize(
    "config",
    [
        {"name": "web", "kernel": "/boot/vmlinuz-2.6.18-8.el5xen", "ramdisk": "/boot/initrd.img",
         "root": "/dev/xvda1 ro", "extra": "3 console=xvc0", "vcpus": 2, "memory": 256,
         "maxmem": 512, "disk": ["phy:sdb1,xvda,w", "tap:aio:/a.dsk,xvdb,r"],
         "vif": ["mac=00:16:3e:00:00:01,bridge=xenbr0", "mac=00:16:3e:00:00:02,vifname=front"],
         "on_crash": "preserve"},
        {"name": "pygrub", "bootloader": "/usr/bin/pygrub", "memory": 128,
         "disk": ["file:/a.img,xvda,w!"], "vfb": ["type=vnc,vncdisplay=5"]},
        {"name": "win", "builder": "hvm", "kernel": "/usr/lib/xen/boot/hvmloader", "memory": 512,
         "device_model": "/usr/lib64/xen/bin/qemu-dm", "boot": "d", "acpi": 1, "fda": "/dev/fd0",
         "vnc": 1, "vncdisplay": "5", "vif": ["mac=00:16:3e:00:00:03"],
         "disk": ["file:/w.img,ioemu:hda,w", "phy:/dev/hda,hdc:cdrom,r"]},
        {"name": "win", "builder": "hvm", "kernel": "/usr/lib/xen/boot/hvmloader", "memory": 512,
         "device_model": "/usr/lib64/xen/bin/qemu-dm", "acpi": 1, "vnc": 1, "vncdisplay": "5",
         "disk": ["file:/w.img,ioemu:hda,w", ",hdc:cdrom,r"]},
    ],
    ids=["kernel", "bootloader", "hvm", "empty drive"],
)  # fmt: skip
def test_a_guest_of_xend_is_the_same_guest_after_dumpxml_and_create(config):
    spec = domain_spec(config, tools="3.0.3", pcpus=4, draw=Random(1))
    described = described_sxp(spec)
    assert isinstance(described, list)

    sent = vm_sxp(domain_xml([*described, ["domid", "5"]]))

    assert spec == spec_from_sxp(sent, tools="3.0.3", pcpus=4, draw=Random(2))


@pytest.mark.parametrize("guest", [DESKTOP, WINDOOF], ids=["pv", "hvm"])
def test_what_is_sent_reads_back_as_text(guest):
    sent = vm_sxp(domain_xml(guest))

    assert sent == parse(to_text(sent))


def test_domain_0_has_neither_image_nor_devices():
    root = ElementTree.fromstring(domain_xml(DOMAIN_0))

    assert ([], []) == (root.findall("os"), root.findall("devices/*"))


def test_a_framebuffer_device_is_a_display():
    guest: list[Sxp] = [*DOMAIN_0, ["device", ["vfb", ["type", "vnc"], ["vncunused", "1"]]]]

    assert "<graphics type='vnc' port='5907'/>" in domain_xml(guest, vnc_port=5907)


@given(st.text(min_size=1))
def test_any_text_makes_well_formed_xml(text):
    guest: list[Sxp] = ["domain", ["name", text], ["image", ["linux", ["kernel", text]]],
             ["device", ["vbd", ["uname", f"phy:{text}"], ["dev", text]]]]  # fmt: skip

    assert "domain" == ElementTree.fromstring(domain_xml(guest, tty=text)).tag


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), min_size=1))
def test_any_printable_argument_survives_the_way_through_xml(text):
    guest: list[Sxp] = ["domain", ["name", "web"], ["memory", "64"],
             ["image", ["linux", ["kernel", "/k"], ["args", text]]]]  # fmt: skip

    assert text.strip() == text_at(vm_sxp(domain_xml(guest)), "image/linux/args")


@given(st.text())
def test_any_text_is_read_or_refused(text):
    for content in (text, PLAIN.format(text)):
        try:
            assert text_at(vm_sxp(content), "name")
        except XmlError as error:
            assert str(error)


@pytest.mark.parametrize(
    ("elements", "entry"),
    [
        ("", ["memory", "128"]),
        ("<memory>262144</memory>", ["memory", "256"]),
        ("<vcpu>3</vcpu>", ["vcpus", "3"]),
        ("<devices><graphics type='vnc' port='-1'/></devices>",
         ["device", ["vfb", ["type", "vnc"], ["vncunused", "1"]]]),
        ("<devices><graphics type='vnc'/></devices>", ["device", ["vfb", ["type", "vnc"]]]),
        ("<devices><graphics type='sdl'/></devices>", ["device", ["vfb", ["type", "sdl"]]]),
        ("<devices><disk type='block'><source dev='sdb1'/><target dev='xvda'/></disk></devices>",
         ["device", ["vbd", ["dev", "xvda:disk"], ["uname", "phy:/dev/sdb1"], ["mode", "w"]]]),
        ("<devices><disk type='file'><source file='/a'/><target dev='xvda'/></disk></devices>",
         ["device", ["vbd", ["dev", "xvda:disk"], ["uname", "file:/a"], ["mode", "w"]]]),
        ("<devices><interface type='bridge'><target dev='vif9.0'/></interface></devices>",
         ["device", ["vif"]]),
    ],
)  # fmt: skip
def test_an_element_becomes_an_entry(elements, entry):
    assert entry in vm_sxp(PLAIN.format(elements))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "XML description is not well formed or invalid: no element found: line 1, column 0"),
        ("<domain>", "not well formed"),
        ("<network/>", "XML description is not one of <domain type='xen'>"),
        ("<domain type='qemu'/>", "XML description is not one of <domain type='xen'>"),
        ("<domain/>", "missing name information"),
        ("<domain><name>a</name></domain>", "missing operating system information for a"),
        ("<domain><name>a</name><os><type>linux</type></os></domain>", "missing kernel"),
        ("<domain><name>a</name><os><type>bsd</type></os></domain>", "unknown OS type bsd"),
        ("<domain><name>a</name><os><type>hvm</type></os></domain>", "needs <loader>"),
        ("<!DOCTYPE domain [<!ENTITY a 'b'>]><domain/>", "a declaration of DOCTYPE"),
        ("<domain><!-- <!ENTITY --></domain>", "a declaration of ENTITY"),
        (" " * 65537, "longer than 65536 characters"),
        (PLAIN.format("<memory>lots</memory>"), "memory: 'lots' is not a whole number"),
        (PLAIN.format("<memory>63999</memory>"), "memory of 63999 KiB is too small"),
        (PLAIN.format("<memory unit='GiB'>1</memory>"), "memory is in GiB; write it in KiB"),
        (PLAIN.format("<vcpu>two</vcpu>"), "vcpu: 'two' is not a whole number"),
        (PLAIN.format("<devices><disk><target dev='xvda'/></disk></devices>"),
         "missing source information for device xvda"),
        (PLAIN.format("<devices><disk><source file='/a'/></disk></devices>"),
         "missing target information for device /a"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_line(text, message):
    with pytest.raises(XmlError) as refused:
        vm_sxp(text)

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_create_sends_the_description_as_libvirt_does(virsh, service, tmp_path):
    file = tmp_path / "web.xml"
    file.write_text(domain_xml(DESKTOP), encoding="utf-8")
    service.answers["/api/v1/domains"] = {"domid": 14, "name": "DesktopVM"}

    code, out, _ = virsh("create", str(file))

    body = {
        "config_text": to_text(vm_sxp(domain_xml(DESKTOP))),
        "config_name": str(file),
        "overrides": {},
        "paused": False,
        "is_sxp": True,
    }
    assert (0, f"Domain DesktopVM created from {file}\n\n") == (code, out)
    assert [("/api/v1/domains", body)] == service.posts


def test_create_says_what_is_wrong_with_a_description(virsh, tmp_path):
    file = tmp_path / "web.xml"
    file.write_text("<domain/>", encoding="utf-8")

    code, _, err = virsh("create", str(file))

    assert (
        1,
        "libvir: XML error : missing name information in the description\n"
        f"error: Failed to create domain from {file}\n",
    ) == (code, err)


def test_create_shows_what_xend_says(virsh, service, tmp_path):
    file = tmp_path / "web.xml"
    file.write_text(PLAIN.format(""), encoding="utf-8")
    service.answers["/api/v1/domains"] = ServiceError("out of memory", http_status=409)

    assert (
        'libvir: Xen Daemon error : POST operation failed: (xend.err "out of memory")\n'
        f"error: Failed to create domain from {file}\n"
    ) == virsh("create", str(file))[2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\xff\xfe<\x00", "it is not UTF-8 text"),
        (b" " * 65537, "it is longer than 65536 bytes"),
    ],
    ids=["empty", "utf-16", "long"],
)
def test_a_file_that_is_no_description_is_refused(virsh, tmp_path, content, reason):
    file = tmp_path / "web.xml"
    file.write_bytes(content)

    assert (
        f"error: Failed to read description file {file}: {reason}\n"
        == virsh("create", str(file))[2]
    )
