"""Hypercalls are those that the executed code makes, by the table of costs."""

from fractions import Fraction

import pytest

from hypervisor.model.codebook.costs import HYPERCALL_SHARES
from hypervisor.model.cpu.look import look
from tests.support.measured import measured
from tests.support.model.hosts import (
    SECOND,
    burst,
    cpu,
    domain,
    fileio,
    make_host,
    netperf,
    result,
    seen,
)

CALLS = {
    "guest_idle": 1, "guest_switch": 1, "evtchn_send": 1, "set_timer": 1,
    "netback_receive_batch": 1, "netback_transmit_batch": 2, "netfront_receive_batch": 0,
    "netfront_flip_batch": 2,
    "blkback_request": 1, "blkback_complete": 1, "blktap_request": 2, "swap_out_page": 1,
    "balloon_page": Fraction(1, 512), "syscall": 0, "timer_tick": 0, "linpack_compute": 0,
}  # fmt: skip


def test_calls_in_a_unit_are_those_of_its_ops():
    code = make_host().code
    assert CALLS == {
        name: Fraction(code.hypercalls[code.index[name]], HYPERCALL_SHARES) for name in CALLS
    }


def executed(host, domid):
    """Return the hypercalls in the code that a domain has executed: its time, by path, at 3.2 GHz."""
    code, found = host.code, 0.0
    with look(host.execution.accounting):
        for times in host.hypercalls.live[domid].path_ns.values():
            for path in code.paths:
                units = times.by_path()[path.index] * 3.2 / path.cycles
                found += units * code.hypercalls[path.index] / HYPERCALL_SHARES
    return found


@pytest.mark.parametrize(
    "work",
    [
        burst(1, 2),
        netperf("receive", rate_bits_per_second=100_000_000),
        netperf("transmit", rate_bits_per_second=100_000_000),
        fileio(rate_per_second=200),
    ],
    ids=lambda work: work["kind"] + work.get("direction", ""),
)
def test_hypercalls_are_those_of_the_code_that_was_executed(work):
    host = make_host(domain("a", work))
    host.advance(5 * SECOND)
    for one in host.telemetry.snapshot().domains:
        assert one.hypercalls == pytest.approx(executed(host, one.domid), rel=0.01, abs=20)


def test_one_who_computes_makes_hardly_any():
    host = make_host(domain("a", cpu()))
    host.advance(10 * SECOND)
    assert measured(seen(host, "a").hypercalls) < 10


def test_one_who_sleeps_blocks_and_sets_its_timer_each_time():
    host = make_host(domain("a", burst(1, 9)))
    host.advance(10 * SECOND)
    bursts = result(host, "a")["bursts"]
    assert seen(host, "a").hypercalls == pytest.approx(2 * bursts, rel=0.01)


def test_notifications_are_hypercalls_too():
    host = make_host(domain("a", netperf("transmit", rate_bits_per_second=100_000_000)))
    host.advance(5 * SECOND)
    sent = host.hypercalls.live[1].channels.sent
    assert measured(seen(host, "a").hypercalls) > sent > 100


def test_an_unmodified_kernel_makes_none_that_are_known():
    assert seen(make_host(domain("a", cpu(), kind="hvm")), "a").hypercalls is None


def test_what_a_benchmark_will_do_is_no_hypercall_yet():
    def calls(*work):
        return make_host(domain("a", *work)).hypercalls.live[1].hypercalls

    assert calls({"kind": "lmbench", "test": "fork"}) == calls()
