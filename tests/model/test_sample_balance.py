"""No sample disappears: whatever is done to a host, each is counted once, by where it went."""

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.errors import HostError
from tests.support.model.hosts import MS, SECOND, burst, cpu, domain, fileio, make_host
from tests.support.model.profiling import (
    CYCLES,
    INSTRUCTIONS,
    begin,
    count_now,
    dumped,
    set_counter,
    xenoprof_now,
)

IN_RINGS = "ring_full"
GUESTS = (1, 2, 3)


class Watched:
    """A profiled host, and all that its daemons have ever read."""

    def __init__(self, periods, active, passive, buffers, domain0):
        self.host = make_host(
            domain("busy", cpu(threads=2), vcpus=2),
            domain("bursty", burst(3, 4), memory_mib=64),
            domain("disk", fileio(rate_per_second=200), memory_mib=64),
            domain0={"vcpus": domain0, "workload": [burst(2, 10)]},
        )
        self.drivers = {domid: self.host.profiler.oprofile(str(domid)) for domid in (0, *GUESTS)}
        for name, value in buffers.items():
            for driver in self.drivers.values():
                driver.write(name, str(value))
        for index, (event, count) in enumerate(zip((CYCLES, INSTRUCTIONS), periods, strict=False)):
            set_counter(self.host, (0, 3)[index], event=event, count=count)
        begin(self.host, (0, *active), passive)
        self.read = 0
        self.loaded = 0
        self.before_zero = 0  # samples logged until the statistics were last zeroed
        self.lost_before_zero = 0

    def do(self, command, domid):
        """Do one thing that a user may do, and ignore refusals."""
        host, driver = self.host, self.drivers[domid]
        actions: dict[str, Any] = {
            "wait": lambda: None,
            "pause": lambda: host.toolstack.domains.pause(str(domid)),
            "unpause": lambda: host.toolstack.domains.unpause(str(domid)),
            "destroy": lambda: host.toolstack.domains.destroy(str(domid)),
            "dump": lambda: driver.write("dump", "1"),
            "stop": lambda: self.drivers[0].write("enable", "0"),
            "start": lambda: self.drivers[0].write("enable", "1"),
            "leave": lambda: driver.write("leave", "1"),
            "drain": lambda: driver.write("drain", "1"),
            "close": driver.close_buffer,
            "open": lambda: self.open(domid),
            "lists": lambda: self.drivers[0].write("active_domains", f"0,{domid}"),
            "load": self.load,
        }
        if domid and domid not in host.hypercalls.live and command != "load":
            return  # its driver ended with it
        with suppress(HostError):
            actions[command]()

    def open(self, domid):
        before, lost = self.logged(), self.ring_lost()
        self.drivers[domid].open_buffer()
        if not domid:
            self.before_zero, self.lost_before_zero = before, lost

    def load(self):
        """Let every daemon read, and check the lengths of the columns."""
        for driver in self.drivers.values():
            for lot in driver.read_buffer():
                self.read += len(lot)
                self.loaded += len(lot.load())

    def logged(self):
        return sum(count.samples for count in self.host.telemetry.snapshot().samples)

    def ring_lost(self):
        return sum(
            one.samples for one in self.host.telemetry.snapshot().lost if one.reason == IN_RINGS
        )

    def in_hypervisor(self):
        """Return (all overflows, overflows by outcome) from the hypervisor's statistics."""
        x = xenoprof_now(self.host)
        return x.total, x.active + x.passive + x.others + x.lost + x.invalid + x.corrupted

    def in_statistics(self):
        """Return (logged, lost) in the ledger since the statistics were zeroed."""
        return self.logged() - self.before_zero, self.ring_lost() - self.lost_before_zero

    def above(self):
        """Return (logged samples, samples by place or end) above the hypervisor."""
        self.load()
        live = self.host.hypercalls.live
        ended = sum(
            one.samples for one in self.host.telemetry.snapshot().lost if one.reason != IN_RINGS
        )
        pending = sum(self.drivers[domid].pending() for domid in live)
        unread = sum(self.host.xenoprof.unread(domid) for domid in live)
        return self.logged(), self.read + pending + unread + ended


COMMANDS = (
    "wait", "pause", "unpause", "destroy", "dump", "stop", "start", "leave", "drain", "close",
    "open", "lists", "load",
)  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.sampled_from(COMMANDS), st.sampled_from((0, *GUESTS)), st.sampled_from((1, 7, 60, 150))
    ),
    max_size=12,
)
BUFFERS = st.fixed_dictionaries(
    {
        "buffer_size": st.sampled_from((50, 1000, 20_000, 131_072)),
        "buffer_watershed": st.sampled_from((0, 10, 32_768)),
        "cpu_buffer_size": st.sampled_from((1, 20, 500, 8192)),
    }
)
PERIODS = st.lists(st.sampled_from((3000, 20_000, 100_000)), min_size=1, max_size=2)
ROLES = st.tuples(*[st.sampled_from(("active", "passive", "other", "both"))] * len(GUESTS))


def domids(roles, *wanted):
    return [domid for domid, role in zip(GUESTS, roles, strict=True) if role in wanted]


@pytest.mark.no_cover
@settings(max_examples=50, deadline=None, derandomize=True)
@given(PERIODS, ROLES, BUFFERS, st.sampled_from((1, 2)), STEPS)
def test_both_balances_hold_whatever_is_done(periods, roles, buffers, domain0, steps):
    active, passive = domids(roles, "active", "both"), domids(roles, "passive", "both")
    watched = Watched(periods, active, passive, buffers, domain0)
    for command, domid, wait_ms in [("wait", 0, 60), *steps, ("load", 0, 150)]:
        watched.do(command, domid)
        watched.host.advance(watched.host.now_ns + wait_ms * MS)
        total, by_fate = watched.in_hypervisor()
        assert total == by_fate
        logged, gone = watched.above()
        assert logged == gone
        x = xenoprof_now(watched.host)
        assert (x.active + x.passive, x.lost) == watched.in_statistics()
    assert watched.read == watched.loaded


def lost_by_reason(host):
    lost: Counter[str] = Counter()
    for one in host.telemetry.snapshot().lost:
        lost[one.reason] += one.samples
    return lost


def test_a_cpu_buffer_that_is_too_small_loses_what_it_says():
    watched = Watched([20_000], GUESTS, (), {"cpu_buffer_size": 100}, 1)
    watched.host.advance(SECOND)
    lost = lost_by_reason(watched.host)["cpu_buffer_overflow"]
    by_files = sum(
        int(driver.read(f"stats/cpu{vcpu}/sample_lost_overflow"))
        for domid, driver in watched.drivers.items()
        for vcpu in range(len(watched.host.hypercalls.live[domid].vcpus))
    )
    assert lost == by_files > 10_000


def test_an_event_buffer_that_is_too_small_loses_two_entries_a_sample():
    watched = Watched([20_000], GUESTS, (), {"buffer_size": 500, "buffer_watershed": 0}, 1)
    watched.host.advance(SECOND)
    lost = lost_by_reason(watched.host)["event_buffer_overflow"]
    files = [int(d.read("stats/event_lost_overflow")) for d in watched.drivers.values()]
    assert 2 * lost == sum(files) > 10_000


def test_samples_lost_above_the_hypervisor_were_logged_by_it():
    watched = Watched([20_000], GUESTS, (), {"cpu_buffer_size": 20}, 1)
    watched.host.advance(SECOND)
    now = watched.host.telemetry.snapshot()
    assert sum(count.samples for count in now.samples) == xenoprof_now(watched.host).active


def test_a_destroyed_domain_takes_its_samples_with_it():
    watched = Watched([20_000], (1,), (3,), {}, 1)
    host = watched.host
    host.advance(250 * MS)
    driver = watched.drivers[1]
    count_now(host)
    held = driver.pending() + host.xenoprof.unread(1)
    host.toolstack.domains.destroy("busy")
    assert lost_by_reason(host)["domain_destroyed"] == held > 0


def test_after_a_stop_and_a_dump_only_the_rings_hold_samples():
    watched = Watched([20_000], GUESTS, (), {}, 2)
    host = watched.host
    host.advance(300 * MS)
    watched.drivers[0].write("enable", "0")
    got = sum(len(dumped(host, driver)) for driver in watched.drivers.values())
    unread = sum(host.xenoprof.unread(domid) for domid in (0, *GUESTS))
    now = host.telemetry.snapshot()
    in_driver = sum(one.samples for one in now.lost if one.reason != IN_RINGS)
    assert xenoprof_now(host).active == got + unread + in_driver
    assert unread <= 15 * 6
