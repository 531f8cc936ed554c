"""Names the figures by which effects are seen."""

from collections.abc import Mapping
from typing import Final

from xenprof.advise.advice import Gauge
from xenprof.experiment.measures import Measure
from xenprof.experiment.places import quoted
from xenprof.home import DOMAIN_0

WORK_COUNTS: Final = (
    "transactions", "jobs", "flops", "objects", "operations", "requests", "units", "bursts",
    "bytes", "messages",
)  # fmt: skip
"""Results of workloads that count what was done; the first that one has is its work."""


def place(domain: str, *steps: str) -> str:
    """Return the place of something of a domain."""
    head = ("domain0",) if domain == DOMAIN_0 else ("domain", quoted(domain))
    return ".".join((*head, *steps))


def processor(domain: str) -> Gauge:
    """Return the processor time of a domain, of which less is better."""
    measure = Measure((place(domain, "cpu_ns"),), "share")
    return Gauge("processor time", domain, "% of a pcpu", measure)


def cost_of_bytes(guest: str) -> Gauge:
    """Return the processor time of a guest and domain 0 for what passes the guest's interfaces."""
    of = tuple(place(one, "cpu_ns") for one in (guest, DOMAIN_0))
    per = tuple(place(guest, f"vifs.*.{way}_bytes") for way in ("receive", "transmit"))
    return Gauge("processor time, domain 0's too", guest, "ns a byte", Measure(of, "growth", per))


def cost_of_requests(guest: str) -> Gauge:
    """Return the processor time of domain 0 for the requests of a guest to its disks."""
    per = (place(guest, "vbds.*.answered_requests"),)
    measure = Measure((place(DOMAIN_0, "cpu_ns"),), "growth", per, 1e-3)
    return Gauge(f"for a disk request of {guest}", DOMAIN_0, "us", measure)


def waiting(domain: str) -> Gauge:
    """Return the time that a domain's vcpus wait for a pcpu."""
    measure = Measure((place(domain, "vcpus.*.runnable_ns"),), "share")
    return Gauge("waiting for a pcpu", domain, "% of a pcpu", measure)


def capped(domain: str) -> Gauge:
    """Return the time that a domain's vcpus are parked by its cap."""
    measure = Measure((place(domain, "vcpus.*.capped_ns"),), "share")
    return Gauge("parked by its cap", domain, "% of a pcpu", measure)


def disk_wait(domain: str) -> Gauge:
    """Return how long a request of a domain to its disks takes."""
    of, per = (place(domain, f"vbds.*.{name}") for name in ("wait_ns", "answered_requests"))
    return Gauge("a disk request", domain, "ms", Measure((of,), "growth", (per,), 1e-6))


def transmitted(domain: str) -> Gauge:
    """Return what a domain sends, headers and acknowledgements included."""
    measure = Measure((place(domain, "vifs.*.transmit_bytes"),), "per_second", times=8e-6)
    return Gauge("sent", domain, "Mbit/s", measure, is_more_better=True)


def dropped(domain: str) -> Gauge:
    """Return the packets for a domain that were dropped."""
    measure = Measure((place(domain, "vifs.*.receive_dropped"),), "per_second")
    return Gauge("packets dropped", domain, "1/s", measure)


def paged_in(domain: str) -> Gauge:
    """Return the pages that a domain reads back from its swap device."""
    measure = Measure((place(domain, "page_ins"),), "per_second")
    return Gauge("pages read from swap", domain, "1/s", measure)


def work(domain: str, number: int, workload: Mapping[str, object]) -> Gauge | None:
    """Return what a workload of a domain gets done; None for one that counts nothing."""
    count = next((name for name in WORK_COUNTS if name in workload), None)
    if count is None:
        return None
    name = f"workload {number + 1} ({workload['kind']}), {count}"
    measure = Measure((place(domain, f"workload.{number}.{count}"),), "per_second")
    return Gauge(name, domain, "1/s", measure, is_more_better=True)
