"""What OTLP tells of a host that has counted long before the service saw it."""

from dataclasses import replace

import pytest

from exporters.catalogue import CATALOGUE
from exporters.otlp.hostmetrics import HostMetrics
from exporters.otlp.settings import Shape, Temporality
from hypervisor.live.agent.report.fields import HostReport
from hypervisor.live.snapshots import snapshot_of
from hypervisor.telemetry import HostSnapshot
from tests.support.live.reports import BOOT_UNIX_NS, SECOND, domain0, guest, report
from tests.support.otlp_messages import attributes, metrics_of, points
from tests.support.snapshots import stats

LONG = 30 * 86400  # seconds since the boot of the host, when the service first sees it
OF_SERVICE = replace(stats(), started_unix=BOOT_UNIX_NS / SECOND + LONG)

Points = dict[str, tuple[float, float]]
"""CPU seconds, and the seconds in which they were counted, by name of the domain."""


class Watching:
    """A service that pushes the running times of one host's domains."""

    def __init__(self, temporality: Temporality) -> None:
        rows = [row for row in CATALOGUE if row.otel == "xen.domain.cpu"]
        self._metrics = HostMetrics(Shape(temporality), rows, 10_000)

    def push(self, seen: HostReport | HostSnapshot, *, taken: bool = True) -> Points:
        """Return what is sent of a look at the host, at the host's own time."""
        host = snapshot_of(seen, "h") if isinstance(seen, HostReport) else seen
        found: Points = {}
        for collected in self._metrics.collect(host, OF_SERVICE, 0, host.unix_ns):
            for one in points(metrics_of([collected.request])["xen.domain.cpu"]):
                span_ns = one.time_unix_nano - one.start_time_unix_nano
                name = str(attributes(one)["xen.domain.name"])
                found[name] = (round(one.as_double, 3), round(span_ns / SECOND, 3))
            if taken:
                collected.taken()
        return found


def down(seconds: float) -> HostSnapshot:
    now_ns = round(seconds * SECOND)
    return HostSnapshot(1, now_ns, BOOT_UNIX_NS + now_ns, "h", is_up=False, boot=report().boot)


def rebooted(since: float, seconds: float) -> HostReport:
    """Return a host that has booted `since` seconds after its first boot, so long after that."""
    unix_ns = BOOT_UNIX_NS + round((since + seconds) * SECOND)
    domains = (domain0(round(seconds * SECOND)),)
    return report(seconds, boot="another", unix_ns=unix_ns, domains=domains)


@pytest.fixture
def delta() -> Watching:
    """A service with deltas, which has seen the host once."""
    made = Watching("delta")
    assert {} == made.push(report(LONG))
    return made


@pytest.fixture
def cumulative() -> Watching:
    """A service without, which has seen the host once."""
    made = Watching("cumulative")
    made.push(report(LONG))
    return made


def test_the_first_delta_is_what_has_come_since_the_first_look(delta):
    assert {"Domain-0": (0.1, 1.0), "web": (0.25, 1.0)} == delta.push(report(LONG + 1))


def test_a_delta_that_was_not_taken_is_in_the_next(delta):
    delta.push(report(LONG + 1), taken=False)

    assert {"Domain-0": (0.2, 2.0), "web": (0.5, 2.0)} == delta.push(report(LONG + 2))


def test_a_delta_goes_on_after_the_host_could_not_be_seen(delta):
    delta.push(report(LONG + 1))
    for seconds in (2, 3, 4):
        delta.push(down(LONG + seconds))

    assert {"Domain-0": (0.4, 4.0), "web": (1.0, 4.0)} == delta.push(report(LONG + 5))


def test_the_first_delta_of_a_new_domain_is_all_that_it_has_counted(delta):
    born = guest(2, "new", 4 * SECOND, created_unix_ns=BOOT_UNIX_NS + (LONG + 1) * SECOND)
    sent = delta.push(report(LONG + 5, domains=(born,)))

    assert {"new": (1.0, 4.0)} == sent


def test_the_delta_of_a_domain_that_has_got_another_name_begins_with_it(delta):
    def under(name: str, seconds: int) -> HostReport:
        return report(seconds, domains=(guest(1, name, seconds * SECOND),))

    assert {} == delta.push(under("other", LONG + 1))
    assert {"other": (0.25, 1.0)} == delta.push(under("other", LONG + 2))


def test_the_first_delta_after_a_boot_is_all_since_the_boot(delta):
    assert {"Domain-0": (0.5, 5.0)} == delta.push(rebooted(LONG + 10, 5))


def test_another_host_in_the_place_of_the_first_begins_as_that_did(delta):
    assert {} == delta.push(rebooted(LONG - 10, 15))
    assert {"Domain-0": (0.1, 1.0)} == delta.push(rebooted(LONG - 10, 16))


def test_sums_count_since_the_boot_and_the_creation_of_a_domain():
    # web was created 2 s after the boot.
    assert {"Domain-0": (LONG / 10, LONG), "web": (LONG / 4, LONG - 2)} == Watching(
        "cumulative"
    ).push(report(LONG))


def test_sums_count_from_a_new_boot(cumulative):
    assert {"Domain-0": (0.5, 5.0)} == cumulative.push(rebooted(LONG + 10, 5))


def test_a_sum_that_falls_counts_since_the_last_look(cumulative):
    fallen = report(LONG + 4, domains=(domain0(SECOND),))
    later = report(LONG + 5, domains=(domain0(2 * SECOND),))

    assert {"Domain-0": (0.1, 4.0)} == cumulative.push(fallen)
    assert {"Domain-0": (0.2, 5.0)} == cumulative.push(later)


def test_the_start_of_a_sum_stays_when_the_clock_of_the_host_is_set(cumulative):
    later = report(LONG + 1)
    sent = cumulative.push(later._replace(unix_ns=later.unix_ns + 50 * SECOND))

    assert {"Domain-0": LONG + 51, "web": LONG + 49} == {name: one[1] for name, one in sent.items()}


def test_what_the_service_counts_itself_counts_since_it_started():
    rows = [row for row in CATALOGUE if row.otel == "process.cpu.time"]
    host = snapshot_of(report(LONG + 1), "h")
    (collected,) = HostMetrics(Shape(), rows, 10_000).collect(host, OF_SERVICE, 0, host.unix_ns)
    found = points(metrics_of([collected.request])["process.cpu.time"])

    assert {BOOT_UNIX_NS + LONG * SECOND} == {one.start_time_unix_nano for one in found}
