"""Guests as in answers to `GET /api/v1/domains/X/sxp`, and a service that answers for them."""

from hypervisor.toolstack.config.sxp import Sxp
from tests.support.talk_host import FakeClient

DOMAIN_0: list[Sxp] = [
    "domain",
    ["domid", "0"],
    ["uuid", "00000000-0000-0000-0000-000000000000"],
    ["vcpus", "2"],
    ["cpu_weight", "1.0"],
    ["memory", "657"],
    ["shadow_memory", "0"],
    ["maxmem", "657"],
    ["features"],
    ["name", "Domain-0"],
    ["on_poweroff", "destroy"],
    ["on_reboot", "restart"],
    ["on_crash", "restart"],
    ["state", "r-----"],
]
WINDOOF: list[Sxp] = [
    "domain",
    ["domid", "3"],
    ["uuid", "5c3e2f6a-0d3b-4a55-9a2f-2f1b6a3c9d10"],
    ["vcpus", "1"],
    ["memory", "512"],
    ["shadow_memory", "8"],
    ["maxmem", "512"],
    ["features"],
    ["localtime", "1"],
    ["name", "WinDoof"],
    ["on_poweroff", "destroy"],
    ["on_reboot", "restart"],
    ["on_crash", "restart"],
    [
        "image",
        [
            "hvm",
            ["kernel", "/usr/lib/xen/boot/hvmloader"],
            ["vcpus", "1"],
            ["boot", "c"],
            ["fda", "/dev/fd0"],
            ["pae", "1"],
            ["acpi", "1"],
            ["apic", "0"],
            ["device_model", "/usr/lib64/xen/bin/qemu-dm"],
            ["vnc", "1"],
            ["vncunused", "1"],
        ],
    ],
    [
        "device",
        [
            "vif",
            ["backend", "0"],
            ["script", "vif-bridge"],
            ["bridge", "xenbr0"],
            ["type", "ioemu"],
            ["mac", "00:16:3e:11:22:33"],
        ],
    ],
    [
        "device",
        [
            "vbd",
            ["backend", "0"],
            ["dev", "ioemu:hda:disk"],
            ["uname", "file:/var/lib/xen/images/windoof.img"],
            ["mode", "w"],
        ],
    ],
    [
        "device",
        [
            "vbd",
            ["backend", "0"],
            ["dev", "hdc:cdrom"],
            ["uname", "phy:/dev/hda"],
            ["mode", "r"],
        ],
    ],
    ["state", "-b----"],
]
DESKTOP: list[Sxp] = [
    "domain",
    ["domid", "5"],
    ["uuid", "d2b2fbb1-9f7e-4e1c-b5a3-6c0f2a1d0c55"],
    ["vcpus", "1"],
    ["memory", "400"],
    ["maxmem", "512"],
    ["bootloader", "/usr/bin/pygrub"],
    ["features"],
    ["name", "DesktopVM"],
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
            ["vnc", "1"],
        ],
    ],
    [
        "device",
        [
            "vif",
            ["backend", "0"],
            ["script", "vif-bridge"],
            ["bridge", "xenbr0"],
            ["mac", "00:16:3e:48:fe:a6"],
        ],
    ],
    [
        "device",
        [
            "vif",
            ["backend", "0"],
            ["script", "vif-route"],
            ["ip", "10.0.0.5"],
            ["vifname", "desk1"],
            ["mac", "00:16:3e:48:fe:a7"],
        ],
    ],
    [
        "device",
        [
            "vbd",
            ["backend", "0"],
            ["dev", "xvda:disk"],
            ["uname", "phy:/dev/sdb1"],
            ["mode", "w"],
        ],
    ],
    [
        "device",
        [
            "tap",
            ["backend", "0"],
            ["dev", "xvdb:disk"],
            ["uname", "tap:aio:/xen/desktop.dsk"],
            ["mode", "w!"],
        ],
    ],
    ["state", "-b----"],
]
STORE = [
    ("/tool", ""),
    ("/local", ""),
    ("/local/domain", ""),
    ("/local/domain/0", ""),
    ("/local/domain/0/name", "Domain-0"),
    ("/local/domain/5", ""),
    ("/local/domain/5/name", "DesktopVM"),
    ("/local/domain/5/console", ""),
    ("/local/domain/5/console/tty", "/dev/pts/4"),
    ("/local/domain/5/console/vnc-port", "5901"),
    ("/local/domain/5/control", ""),
    ("/local/domain/5/device", ""),
    ("/local/domain/5/device/vbd", ""),
    ("/local/domain/5/device/vbd/51712", ""),
    ("/local/domain/5/device/vbd/51712/backend", "/local/domain/0/backend/vbd/5/51712"),
    ("/local/domain/5/note", 'two\nlines, a \\ and "quotes" \x07é'),
    ("/local/domain/5/script", "x" * 90),
    ("/vm", ""),
]
INFO = {
    "machine": "x86_64", "nr_cpus": "4", "nr_nodes": "1", "sockets_per_node": "2",
    "cores_per_socket": "1", "threads_per_core": "2", "cpu_mhz": "3200", "total_memory": "4095",
}  # fmt: skip


def virsh_client() -> FakeClient:
    """Return a service that answers virsh and xenstore-ls for the talk's host."""
    return FakeClient(
        info=INFO,
        xenstore={"entries": STORE},
        **{
            f"domains/{name}/sxp": {"sxp": sxp}
            for name, sxp in (("Domain-0", DOMAIN_0), ("WinDoof", WINDOOF), ("DesktopVM", DESKTOP))
        },
    )
