"""Trace records of domains, grants and balloons: emitted where these things happen."""

from collections import Counter

from hypervisor.trace_events import (
    ADJDOM,
    ALL,
    DECREASE_RESERVATION,
    DOM_ADD,
    DOM_REM,
    GRANT_MAP,
    GRANT_TRANSFER,
    GRANT_UNMAP,
    INCREASE_RESERVATION,
    SHUTDOWN,
)
from tests.support.model.hosts import MS, SECOND, domain, fileio, make_host, netperf

EVERY_PCPU = (1 << 64) - 1


def started(*domains, **host):
    """Return a host that is traced, with rings large enough for anything."""
    made = make_host(*domains, **host)
    made.tracer.set_ring_pages(4000)
    made.tracer.set_masks(ALL, EVERY_PCPU)
    return made


def count(host, *events):
    """Return how often each event was recorded for each domain."""
    records = host.tracer.read()
    return Counter((r.event, r.data[0]) for r in records if r.event in events)


def test_a_created_domain_is_added_vcpu_by_vcpu():
    host = started()
    host.toolstack.domains.create(
        {"name": "new", "memory": 32, "kernel": "/boot/vmlinuz", "vcpus": 2}, paused=True
    )
    host.advance(10 * SECOND)
    added = sorted((r for r in host.tracer.read() if r.event == DOM_ADD), key=lambda r: r.time_ns)
    assert [record.data for record in added] == [(1, 0), (1, 1)]


def test_a_destroyed_domain_is_removed():
    host = started(domain("a"))
    host.advance(100 * MS)
    host.toolstack.domains.destroy("a")
    assert [r.data for r in host.tracer.read() if r.event == DOM_REM] == [(1, 0)]


def test_a_domain_that_ends_tells_why():
    host = started(domain("a"))
    host.advance(100 * MS)
    host.hypercalls.end_domain(host.hypercalls.live[1], 1)
    assert [r.data for r in host.tracer.read() if r.event == SHUTDOWN] == [(1, 0, 1)]


def test_a_changed_weight_is_told():
    host = started(domain("a"))
    host.toolstack.resources.set_sched_credit("a", weight=512)
    assert [r.data for r in host.tracer.read() if r.event == ADJDOM] == [(1,)]


def test_every_page_of_the_disk_is_mapped_and_unmapped():
    host = started(domain("a", fileio(op="read", pattern="random", block_bytes=16384)))
    host.advance(SECOND)
    counts = count(host, GRANT_MAP, GRANT_UNMAP)
    mapped = host.hypercalls.live[1].grants.mapped
    assert counts[GRANT_MAP, 1] == mapped
    assert 0 <= counts[GRANT_MAP, 1] - counts[GRANT_UNMAP, 1] <= 64 * 11


def test_every_received_page_is_transferred():
    host = started(domain("a", netperf("receive", rate_bits_per_second=10_000_000)))
    host.advance(SECOND)
    transferred = host.hypercalls.live[1].grants.transferred
    assert (count(host, GRANT_TRANSFER)[GRANT_TRANSFER, 1], transferred > 100) == (
        transferred,
        True,
    )


def test_a_batch_of_grants_is_one_row_however_many_pages():
    host = started(domain("a", netperf("receive", rate_bits_per_second=100_000_000)))
    host.advance(SECOND)
    rows = sum(len(ring.rows) for ring in host.execution.trace._rings)
    rows += sum(len(rows) for _, rows in host.execution.trace._taken)
    grants = host.hypercalls.live[1].grants
    pages = grants.transferred + 2 * grants.mapped  # acknowledgements are mapped, and unmapped
    assert sum(host.tracer.status().held) - pages < rows < pages


def test_a_balloon_tells_pages_in_lots():
    host = started(domain("a"))
    host.advance(100 * MS)
    host.toolstack.resources.set_memory("a", 120)
    host.advance(2 * SECOND)
    host.toolstack.resources.set_memory("a", 128)
    host.advance(4 * SECOND)
    pages: Counter[int] = Counter()
    for record in host.tracer.read():
        if record.event in (DECREASE_RESERVATION, INCREASE_RESERVATION):
            pages[record.event] += record.data[1]
    assert pages == {DECREASE_RESERVATION: 2048, INCREASE_RESERVATION: 2048}
