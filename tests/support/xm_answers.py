"""The service's answers to xm in the golden tests, except the snapshot of the talk's host."""

from dataclasses import replace

from tests.support.talk_host import HOST, MYSQL, OSSVM02, vcpu
from xenprof.client import ServiceError

PINNED = replace(
    MYSQL, vcpus=(replace(vcpu(0, 1, "blocked", 16.1), affinity=(1, 2)),), created_ns=0
)
ZOMBIE = replace(OSSVM02, domid=7, name="gone", dying=True, blocked=False, memory_kib=8)
OLD = replace(
    HOST,
    time_ns=93_784 * 10**9,
    domains=tuple(PINNED if d is MYSQL else replace(d, created_ns=(d.domid > 0) * 90_000 * 10**9)
                  for d in HOST.domains),
)  # fmt: skip
NEW = replace(OLD, tools="3.1")
WITH_ZOMBIE = replace(OLD, domains=(*OLD.domains, ZOMBIE))
SEDF = replace(OLD, scheduler="sedf", domains=OLD.domains[:2])

DOMAIN_SXP: list[object] = [
    "domain",
    ["domid", "13"],
    ["uuid", "494e5923-9911-7144-5604-a0e9ad798021"],
    ["vcpus", "1"],
    ["cpu_weight", "1.0"],
    ["memory", "500"],
    ["shadow_memory", "0"],
    ["maxmem", "500"],
    ["bootloader", "/usr/bin/pygrub"],
    ["features", ""],
    ["name", "r5b2-mySQL01"],
    ["on_poweroff", "destroy"],
    ["on_reboot", "restart"],
    ["on_crash", "restart"],
    [
        "image",
        [
            "linux",
            ["kernel", "/var/lib/xen/boot_kernel.uTrTf7"],
            ["ramdisk", "/var/lib/xen/boot_ramdisk.yI0dnB"],
            ["args", "ro root=/dev/VolGroup00/LogVol00 console=xvc0"],
        ],
    ],
    [
        "device",
        ["vif", ["backend", "0"], ["script", "vif-bridge"], ["bridge", "xenbr0"],
         ["mac", "00:16:3e:48:fe:a6"], ["rate", "10MB/s@50ms"]],
    ],
    [
        "device",
        ["vbd", ["backend", "0"], ["dev", "xvdb:disk"], ["uname", "phy:/dev/sdb1"], ["mode", "w"]],
    ],
    ["state", "-b----"],
    ["shutdown_reason", "poweroff"],
    ["cpu_time", "16.099999999"],
    ["online_vcpus", "1"],
    ["up_time", "3784.0"],
    ["start_time", "1178668800.0"],
    ["store_mfn", "201234"],
    ["console_mfn", "201233"],
]  # fmt: skip
VM_SXP = ["vm", ["name", "web"], ["memory", "64"], ["image", ["linux", ["kernel", "/boot/k"]]]]
VBD = {
    "device": 51712, "backend_domid": 0, "handle": 0, "state": 4, "event_channel": 6,
    "ring_ref": 8, "backend_path": "/local/domain/0/backend/vbd/13/51712",
    "sxp": ["51712", ["virtual-device", "51712"], ["device-type", "disk"], ["protocol", "x86_64-abi"],
            ["backend-id", "0"], ["state", "4"],
            ["backend", "/local/domain/0/backend/vbd/13/51712"],
            ["ring-ref", "8"], ["event-channel", "6"]],
}  # fmt: skip
VBD_CONNECTING = VBD | {
    "device": 51728, "handle": 1, "state": 1, "event_channel": -1, "ring_ref": -1,
    "backend_path": "/local/domain/0/backend/vbd/13/51728",
}  # fmt: skip
VIF = {
    "index": 0, "backend_domid": 0, "mac": "00:16:3e:48:fe:a6", "handle": 0, "state": 4,
    "event_channel": 8, "tx_ring_ref": 522, "rx_ring_ref": 523,
    "backend_path": "/local/domain/0/backend/vif/13/0",
    "sxp": ["0", ["mac", "00:16:3e:48:fe:a6"], ["handle", "0"], ["backend-id", "0"],
            ["state", "4"], ["backend", "/local/domain/0/backend/vif/13/0"],
            ["tx-ring-ref", "522"], ["rx-ring-ref", "523"], ["event-channel", "8"]],
}  # fmt: skip
INFO = {
    "host": "grumble",
    "release": "2.6.18-8.el5xen",
    "machine": "x86_64",
    "nr_cpus": "4",
    "free_memory": "1024",
    "xen_caps": "xen-3.0-x86_64 ",
    "xend_config_format": "2",
}
RING = {"text": "(XEN) Command line: /xen.gz-2.6.18-8.el5\n(XEN) System RAM: 4095MB (4193404kB)\n"}


def _refusal(message: str, status: int = 409) -> ServiceError:
    return ServiceError(message, "Refused", 1, status)


ANSWERS: dict[str, object] = {
    "info": INFO,
    "dmesg": RING,
    "managed": {"domains": [{"name": "spare", "memory_mib": 256, "vcpus": 2}]},
    "domains/13/sxp": {"sxp": DOMAIN_SXP},
    "domains/13/devices/vbd": {"devices": [VBD, VBD_CONNECTING]},
    "domains/13/devices/vif": {"devices": [VIF]},
    "domains/13/devices/vtpm": {"devices": []},
    "domains/0/devices/vbd": {"devices": []},
    "domains/0/sched-credit": {"weight": 256, "cap_percent": 0},
    "domains/13/sched-credit": {"weight": 256, "cap_percent": 25},
    "domains/Domain-0/sched-sedf": {"period_ns": 20_000_000, "slice_ns": 15_000_000,
                                    "latency_ns": 0, "extratime": True, "weight": 0},
    "domains/WinDoof/sched-sedf": {"period_ns": 100_000_000, "slice_ns": 0,
                                   "latency_ns": 500_000, "extratime": False, "weight": 3},
    "domains": {"domid": 14, "name": "web"},
    "config": {"sxp": VM_SXP},
    "restore": {"domid": 14, "name": "web"},
    "domains/13/dump-core": {"path": "/var/xen/dump/r5b2-mySQL01.core"},
    # requests that xend refuses
    "domains/0/pause": _refusal("Cannot pause privileged domain Domain-0"),
    "domains/0/destroy": _refusal("Cannot destroy privileged domain Domain-0"),
    "domains/nosuch/destroy": _refusal("Domain 'nosuch' does not exist.", 404),
    "domains/13/set-maximum-memory": _refusal("(22, 'Invalid argument')"),
    "domains/3/set-memory": _refusal("Invalid memory size"),
    "domains/Domain-0/shutdown": _refusal("Can't specify Domain-0"),
    "domains/5/sched-credit": _refusal("weight is out of range", 400),
    "domains/13/rename": _refusal("Domain name 'WinDoof' already in use by domain 3"),
    "domains/5/attach-block": _refusal("Device xvda (51712, vbd) is already connected."),
}  # fmt: skip
