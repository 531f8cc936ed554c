"""Hosts that advice is for, each with one fault: as tables of scenarios."""

from collections.abc import Mapping
from typing import Any

Table = dict[str, Any]


def _guest(name: str, *works: Table, **known: Any) -> Table:
    plain = {
        "name": name,
        "memory_mib": 256,
        "vif": ["bridge=xenbr0"],
        "disk": [f"phy:/dev/vg0/{name},xvda,w"],
    }
    return plain | known | {"workload": list(works)}


def _work(kind: str, **known: Any) -> Table:
    return {"kind": kind} | known


def _host(*guests: Table, domain0: Table | None = None, **known: Any) -> Table:
    settings = {"memory_mib": 8192, "support_limits": False} | known
    return {
        "host": settings,
        "domain0": {"memory_mib": 512, "vcpus": 2} | (domain0 or {}),
        "domain": list(guests),
    }


_HTTPD = _work("cpu", program="httpd")
_READER = _work("fileio", op="read", pattern="sequential", block_bytes=65_536)
_RANDOM = _work("fileio", op="read", pattern="random", block_bytes=8192, queue_depth=8)
_LOG = _work("fileio", op="write", pattern="sequential", block_bytes=8192, direct=True)
_RECEIVER = _work("netperf", direction="receive")
_SENDER = _work("netperf", direction="transmit")
_BURSTS = _work("burst", run_ms=40, sleep_ms=10, jitter=0.3)

HOSTS: Mapping[str, Table] = {
    "weights.domain0": _host(
        *[_guest(f"net{n}", _RECEIVER) for n in range(2)],
        *[_guest(f"busy{n}", _BURSTS) for n in range(6)],
    ),
    "memory.balloon": _host(_guest("swaps", _work("cpu", memory_mib=100), memory_mib=96)),
    "full.drivers": _host(
        _guest(
            "win",
            _work("netperf", direction="receive", rate_bits_per_second=50_000_000),
            kind="hvm",
            disk=["file:/var/win.img,hda,w"],
            vif=["type=ioemu, bridge=xenbr0"],
        )
    ),
    "network.rate": _host(_guest("limited", _SENDER, vif=["bridge=xenbr0, rate=10Mb/s"])),
    "elevators.deadline": _host(
        _guest("db", _LOG), _guest("one", _READER), _guest("other", _READER)
    ),
    "elevators.anticipatory": _host(
        _guest("desk", _READER), _guest("db", _RANDOM), domain0={"elevator": "deadline"}
    ),
    "pinning.threads": _host(_guest("a", _HTTPD, cpus="0"), _guest("b", _HTTPD, cpus="1")),
    "smp.vcpus": _host(_guest("wide", _work("cpu", threads=8, program="httpd"), vcpus=8)),
    "smp.overcommit": _host(*[_guest(f"g{n}", _BURSTS) for n in range(6)]),
    "storage.backing": _host(_guest("file", _READER, disk=["tap:aio:/a,xvda,w"], vif=[])),
    "domain0.applications": _host(
        _guest("net", _RECEIVER),
        domain0={"workload": [_work("cpu", threads=2, program="httpd")]},
    ),
}
"""By the id of the advice that the host is for."""
