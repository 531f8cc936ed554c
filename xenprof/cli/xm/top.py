"""xm top: xentop's table in batch mode."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from xenprof.cli.xm.command import Command, Option, Words, XmError, integer, snapshot_of
from xenprof.client import Client

Domain = Mapping[str, Any]
Snapshot = Mapping[str, Any]

DEFAULT_DELAY_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Row:
    """A domain with what its columns need beside itself. `busy_percent` is of one pcpu."""

    domain: Domain
    busy_percent: float
    host_kib: int


def _total(devices: str, counter: str) -> Callable[[Row], int]:
    return lambda row: sum(device[counter] for device in row.domain[devices])


def _requests(counter: str) -> Callable[[Row], int]:
    """Return the sum over the disks that have statistics: tap: disks have none."""
    return lambda row: sum(vbd[counter] for vbd in _counted(row.domain))


def _counted(domain: Domain) -> list[Mapping[str, Any]]:
    return [vbd for vbd in domain["vbds"] if vbd["statistics"]]


def _percent_of_host(row: Row, kib: int | None) -> str:
    return "n/a" if kib is None else f"{100 * kib / row.host_kib:.1f}"


def _maximum(row: Row) -> str:
    kib = row.domain["maximum_kib"]
    return "no limit" if kib is None else str(kib)


_COLUMNS: tuple[tuple[str, int, Callable[[Row], object]], ...] = (
    ("NAME", 10, lambda row: row.domain["name"]),
    ("STATE", 6, lambda row: state_letters(row.domain)),
    ("CPU(sec)", 10, lambda row: row.domain["cpu_ns"] // 10**9),
    ("CPU(%)", 6, lambda row: f"{row.busy_percent:.1f}"),
    ("MEM(k)", 10, lambda row: row.domain["memory_kib"]),
    ("MEM(%)", 6, lambda row: _percent_of_host(row, row.domain["memory_kib"])),
    ("MAXMEM(k)", 10, _maximum),
    ("MAXMEM(%)", 9, lambda row: _percent_of_host(row, row.domain["maximum_kib"])),
    ("VCPUS", 5, lambda row: len(row.domain["vcpus"])),
    ("NETS", 4, lambda row: len(row.domain["vifs"])),
    ("NETTX(k)", 8, lambda row: _total("vifs", "transmit_bytes")(row) // 1024),
    ("NETRX(k)", 8, lambda row: _total("vifs", "receive_bytes")(row) // 1024),
    ("VBDS", 4, lambda row: len(_counted(row.domain))),
    ("VBD_OO", 8, _requests("ring_full")),
    ("VBD_RD", 8, _requests("read_requests")),
    ("VBD_WR", 8, _requests("write_requests")),
    ("SSID", 4, lambda row: 0),
)

HEAD = " ".join(f"{head:>{width}}" for head, width, _ in _COLUMNS)


def state_letters(domain: Domain) -> str:
    """Return xentop's six letters; Domain-0 runs, for xentop runs in it."""
    if domain["domid"] == 0:
        return "-----r"
    flags = ("dying", "shutdown", "blocked", "crashed", "paused", "running")
    return "".join(
        letter if domain[flag] else "-" for letter, flag in zip("dsbcpr", flags, strict=True)
    )


def table(
    now: Snapshot,
    before: Snapshot | None = None,
    *,
    networks: bool = False,
    vbds: bool = False,
    vcpus: bool = False,
    repeats_head: bool = False,
) -> Iterator[str]:
    """Yield the lines of one iteration, by name ignoring case.

    CPU(%) compares with `before`; a domain that was not there then shows 0.0.
    """
    domains = sorted(now["domains"], key=lambda domain: domain["name"].lower())
    for position, domain in enumerate(domains):
        if position == 0 or repeats_head:
            yield HEAD
        row = Row(domain, _busy_percent(domain, now, before), now["memory_kib"])
        yield " ".join(f"{value(row)!s:>{width}}" for _, width, value in _COLUMNS)
        if vcpus:
            yield from _vcpu_lines(domain)
        if networks:
            yield from map(_network_line, domain["vifs"])
        if vbds:
            yield from map(_vbd_line, _counted(domain))


def _busy_percent(domain: Domain, now: Snapshot, before: Snapshot | None) -> float:
    if before is None or now["time_ns"] <= before["time_ns"]:
        return 0.0
    for earlier in before["domains"]:
        if earlier["domid"] == domain["domid"]:
            worked_ns: int = domain["cpu_ns"] - earlier["cpu_ns"]
            elapsed_ns: int = now["time_ns"] - before["time_ns"]
            return 100 * worked_ns / elapsed_ns
    return 0.0


def _vcpu_lines(domain: Domain) -> Iterator[str]:
    cells = [
        f" {vcpu['vcpu']:2}: {vcpu['running_ns'] // 10**9:10}s"
        for vcpu in domain["vcpus"]
        if vcpu["online"]
    ]
    yield "VCPUs(sec): " + "".join(cells[:5])
    for start in range(5, len(cells), 5):
        yield " " * 8 + "".join(cells[start : start + 5])


def _network_line(vif: Mapping[str, Any]) -> str:
    def fields(way: str) -> str:
        return (
            f"{vif[way + '_bytes']:8}bytes {vif[way + '_packets']:8}pkts "
            f"{vif[way + '_errors']:8}err {vif[way + '_dropped']:8}drop"
        )

    return f"Net{vif['index']} RX: {fields('receive')}  TX: {fields('transmit')}"


def _vbd_line(vbd: Mapping[str, Any]) -> str:
    major, minor = vbd["device"] >> 8, vbd["device"] & 255
    return (
        f"VBD {vbd['device']:4} [{major:2x}:{minor:2x}]  OO: {vbd['ring_full']:8}   "
        f"RD: {vbd['read_requests']:8}   WR: {vbd['write_requests']:8}"
    )


def _top(client: Client, words: Words) -> int:
    if words.has("h"):
        print(_help())
        return 0
    if words.has("V"):
        print("xentop 1.0")
        return 0
    delay_seconds = _delay(words.value("d"))
    iterations = integer(words.value("i") or "0")
    before = None
    done = 0
    while iterations <= 0 or done < iterations:
        if done:
            client.post("/api/v1/wait", {"seconds": delay_seconds})
        now = snapshot_of(client)
        lines = table(
            now,
            before,
            networks=words.has("n"),
            vbds=words.has("x"),
            vcpus=words.has("v"),
            repeats_head=words.has("r"),
        )
        print("\n".join(lines), flush=True)
        before = now
        done += 1
    return 0


def _delay(text: str | None) -> float:
    if text is None:
        return DEFAULT_DELAY_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise XmError(f"the delay must be a number of seconds above 0, not '{text}'")
    return seconds


def _help() -> str:
    values = {option: f"={option.value}" if option.value else "" for option in TOP.options}
    options = [f"-{o.short}, --{o.long + value:<18} {o.help}" for o, value in values.items()]
    return "\n".join(
        [
            "Usage: xm top [OPTION]",
            "Displays ongoing information about xen vm resources ",
            "",
            *options,
        ]
    )


TOP = Command(
    "top",
    "[options]",
    "Monitor a host and the domains in real time.",
    _top,
    options=(
        Option("h", "help", "display this help and exit"),
        Option("V", "version", "output version information and exit"),
        Option("d", "delay", "seconds between updates (default 3)", "SECONDS"),
        Option("n", "networks", "output vif network data"),
        Option("x", "vbds", "output vbd block device data"),
        Option("r", "repeat-header", "repeat table header before each domain"),
        Option("v", "vcpus", "output vcpu data"),
        Option("b", "batch", "output in batch mode (the only one so far)"),
        Option("i", "iterations", "number of iterations before exiting", "N"),
    ),
)
