"""The workloads that a guest can run: a module and a line in the table for each.

Those that few guests run are imported for the first of these: all of them would take a thirtieth of
the start of a run. What lives longer calls `import_all`, or an edit of the sources would make it
half of each.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

from hypervisor.model.network.tcp import TcpOptions
from hypervisor.model.scenario.workloads import is_direct
from hypervisor.model.workloads.base import Site, Workload
from hypervisor.model.workloads.buffered import BufferedFileio
from hypervisor.model.workloads.burst import Burst
from hypervisor.model.workloads.cpu import Cpu
from hypervisor.model.workloads.fileio import Fileio
from hypervisor.model.workloads.idle import Idle
from hypervisor.model.workloads.netperf.streams import ReceiveSource, TransmitSource

Parameters = Mapping[str, Any]


def _cpu(site: Site, given: Parameters) -> Workload:
    return Cpu(
        site,
        given["threads"],
        given["cycles_per_unit"],
        given["program"],
        given["memory_mib"],
    )


def _burst(site: Site, given: Parameters) -> Workload:
    run_ns, sleep_ns = (round(given[key] * 1_000_000) for key in ("run_ms", "sleep_ms"))
    jitter_per_mille = round(given["jitter"] * 1000)
    program, memory_mib = given["program"], given["memory_mib"]
    has_timer = given["awaits"] == "timer"
    return Burst(site, run_ns, sleep_ns, jitter_per_mille, program, memory_mib, has_timer=has_timer)


def _netperf(site: Site, given: Parameters) -> Workload:
    rate, message_bytes = given["rate_bits_per_second"], given["message_bytes"]
    if given["test"] == "UDP_STREAM":
        return _datagrams(site, given)
    if given["test"] != "TCP_STREAM":
        from hypervisor.model.workloads.netperf.requests import Requests

        return Requests(
            site,
            given["test"],
            given["direction"],
            given["peer"],
            given["request_bytes"],
            given["response_bytes"],
            given["memory_mib"],
        )
    options = TcpOptions(given["socket_bytes"], given["tso"], given["acks_each_packet"])
    memory_mib = given["memory_mib"]
    if given["direction"] == "receive":
        return ReceiveSource(site, site.outside, rate, message_bytes, options, memory_mib)
    peer = given["peer"] if given["direction"] == "to" else None
    return TransmitSource(site, rate, message_bytes, peer, options, memory_mib)


def _datagrams(site: Site, given: Parameters) -> Workload:
    from hypervisor.model.workloads.netperf.datagrams import DatagramsIn, DatagramsOut

    rate, message_bytes = given["rate_bits_per_second"], given["message_bytes"]
    memory_mib = given["memory_mib"]
    if given["direction"] == "receive":
        return DatagramsIn(site, site.outside, rate, message_bytes, memory_mib)
    peer = given["peer"] if given["direction"] == "to" else None
    return DatagramsOut(site, rate, message_bytes, peer, memory_mib)


def _fileio(site: Site, given: Parameters) -> Workload:
    if not is_direct(given["direct"], given["queue_depth"]):
        return BufferedFileio(
            site,
            given["op"] == "write",
            given["pattern"] == "random",
            given["block_bytes"],
            given["queue_depth"],
            given["rate_per_second"],
            given["memory_mib"],
            given["sync"],
            given["fsync_every"],
        )
    return Fileio(
        site,
        given["op"] == "write",
        given["pattern"] == "random",
        given["block_bytes"],
        given["queue_depth"],
        given["rate_per_second"],
        given["memory_mib"],
        given["lun"],
    )


def _idle(site: Site, given: Parameters) -> Workload:
    return Idle(site, given["memory_mib"])


def _build(site: Site, given: Parameters) -> Workload:
    from hypervisor.model.workloads.build import Build

    return Build(site, given["jobs"], given["memory_mib"], writes_objects=given["writes_objects"])


def _linpack(site: Site, given: Parameters) -> Workload:
    from hypervisor.model.workloads.linpack import Linpack

    return Linpack(site, given["n"], given["threads"], given["precision"], given["memory_mib"])


def _aim7(site: Site, given: Parameters) -> Workload:
    from hypervisor.model.workloads.aim7.benchmark import Aim7

    return Aim7(site, given["mix"], given["users"], given["memory_mib"])


def _iozone(site: Site, given: Parameters) -> Workload:
    from hypervisor.model.workloads.iozone import Iozone

    return Iozone(
        site,
        given["file_kib"],
        given["record_kib"],
        given["phases"],
        fsync=given["fsync"],
        memory_mib=given["memory_mib"],
    )


def _lmbench(site: Site, given: Parameters) -> Workload:
    from hypervisor.model.workloads.lmbench import Lmbench

    return Lmbench(
        site, given["test"], given["processes"], given["working_kib"], given["memory_mib"]
    )


def _oltp(site: Site, given: Parameters) -> Workload:
    from hypervisor.model.workloads.oltp.benchmark import Oltp, Settings

    return Oltp(
        site,
        Settings(
            engine=given["engine"],
            clients=given["clients"],
            is_outside=given["clients_from"] == "outside",
            database_mib=given["database_mib"],
            cache_mib=given["cache_mib"],
            think_ns=round(given["think_ms"] * 1_000_000),
            read_only=given["read_only"],
            memory_mib=given["memory_mib"],
        ),
    )


def _java(site: Site, given: Parameters) -> Workload:
    from hypervisor.model.workloads.java.chat import Chat

    threads, memory_mib = given["collector_threads"], given["memory_mib"]
    return Chat(site, given["rooms"], given["heap_mib"], threads, memory_mib)


def _web(site: Site, given: Parameters) -> Workload:
    from hypervisor.model.workloads.web.server import Web

    think_ns = round(given["think_ms"] * 1_000_000)
    return Web(site, given["clients"], given["file_bytes"], think_ns, given["memory_mib"])


WORKLOADS: Final[Mapping[str, Callable[[Site, Parameters], Workload]]] = {
    "aim7": _aim7,
    "build": _build,
    "burst": _burst,
    "cpu": _cpu,
    "fileio": _fileio,
    "idle": _idle,
    "iozone": _iozone,
    "java": _java,
    "linpack": _linpack,
    "lmbench": _lmbench,
    "netperf": _netperf,
    "oltp": _oltp,
    "web": _web,
}
"""The workloads by `kind`; each takes its site and the validated parameters of the scenario."""


def import_all() -> None:
    """Import what the workloads in the table need."""
    for name in _RARE:
        import_module(f"{__name__}.{name}")


_RARE: Final = (
    "aim7.benchmark",
    "build",
    "iozone",
    "java.chat",
    "linpack",
    "lmbench",
    "netperf.datagrams",
    "netperf.requests",
    "oltp.benchmark",
    "web.server",
)
