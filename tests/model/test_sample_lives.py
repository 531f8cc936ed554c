"""What is counted belongs to one life of a domain, not to its name."""

import pytest

from exporters.catalogue.profiling import lost, samples
from hypervisor.model.hypercalls import DOMID_FIRST_RESERVED
from hypervisor.telemetry import ModeTimes
from tests.support.measured import measured
from tests.support.model.hosts import MS, behalf_ns, cpu, domain, make_host
from tests.support.model.managing import GUEST, after, done
from tests.support.model.profiling import begin, count_now, set_counter
from tests.support.snapshots import stats


def points_of(points, host, name):
    """Return what was counted of a domain, without what begins at 0."""
    return {
        labels[1:]: value
        for labels, value in points(host.telemetry.snapshot(), stats())
        if labels[0] == name and value
    }


@pytest.fixture(params=["active", "passive"])
def ended(request):
    """Return a host whose domain x has been profiled, has lost samples, and was destroyed."""
    host = make_host(domain("x", cpu(), memory_mib=64))
    set_counter(host, count=20_000)
    host.profiler.oprofile("x").write("cpu_buffer_size", "20")
    begin(host, (0, 1), ()) if request.param == "active" else begin(host, (0,), (1,))
    host.advance(300 * MS)
    count_now(host)
    assert points_of(samples, host, "x")
    host.toolstack.domains.destroy("x")
    after(host, 1)
    assert sum(points_of(lost, host, "x").values()) > 0
    return host


def created(host):
    done(host, host.toolstack.domains.create({**GUEST, "name": "x"}))
    after(host, 1)
    return host


def test_an_ended_domain_has_no_series_of_samples(ended):
    assert {} == points_of(samples, ended, "x")


def test_the_next_domain_of_a_name_has_no_samples_of_the_last(ended):
    assert {} == points_of(samples, created(ended), "x")


def test_the_next_domain_of_a_name_has_no_losses_of_the_last(ended):
    assert {} == points_of(lost, created(ended), "x")


def test_counts_are_kept_of_the_last_lives_alone(ended, monkeypatch):
    monkeypatch.setattr("hypervisor.model.profiling.ledger.MOST_ENDED", 2)
    for _ in range(2):
        created(ended)
        ended.toolstack.domains.destroy("x")
        after(ended, 1)
    ended.profiler.count_samples(1, {"no_mm": 7})  # of the first one, much too late
    assert {0, 2, 3} >= {row.domid for row in ended.telemetry.snapshot().lost}


def test_a_domain_that_reboots_counts_anew():
    host = make_host(domain("x", cpu(), memory_mib=64))
    set_counter(host)
    begin(host, (0,), (1,))
    host.advance(300 * MS)
    first = host.telemetry.snapshot().find("x")
    host.toolstack.domains.shutdown("x", "reboot")
    after(host, 10)
    second = host.telemetry.snapshot().find("x")
    assert (first.uuid, 2, {}) == (second.uuid, second.domid, points_of(samples, host, "x"))


def test_losses_that_an_ended_domain_tells_late_are_its_own(ended):
    before = sum(points_of(lost, ended, "x").values())
    created(ended)
    ended.profiler.count_samples(1, {"store_write_failed": 7})
    late = [row for row in ended.telemetry.snapshot().lost if row.reason == "store_write_failed"]
    assert [(7, 1)] == [(row.samples, row.domid) for row in late]
    assert (before + 7, {}) == (
        sum(row.samples for row in ended.telemetry.snapshot().lost if row.domain == "x"),
        points_of(lost, ended, "x"),
    )


def test_a_renamed_domain_keeps_its_counts():
    host = make_host(domain("x", cpu(), memory_mib=64))
    host.profiler.count_samples(1, {"no_mm": 3})
    host.toolstack.domains.rename("x", "y")
    assert ({}, {("daemon", "no_mm"): 3}) == (
        points_of(lost, host, "x"),
        points_of(lost, host, "y"),
    )


def test_the_losses_of_a_saved_domain_keep_its_own_name(tmp_path):
    host = make_host(domain("x", cpu(), memory_mib=64))
    host.profiler.count_samples(1, {"no_mm": 3})
    done(host, host.toolstack.domains.save("x", str(tmp_path / "x.save")))
    after(host, 1)
    assert [("x", "no_mm", 3)] == [
        (row.domain, row.reason, row.samples) for row in host.telemetry.snapshot().lost
    ]


def test_what_domain_0_did_for_the_last_life_is_not_done_for_the_next(ended):
    assert "x" not in behalf_ns(ended)


def test_ids_wrap_as_xens_do_and_pass_over_those_in_use():
    host = make_host(domain("x", memory_mib=64))
    host.hypercalls._rover = DOMID_FIRST_RESERVED - 2
    host.advance(1000 * MS)  # domain 0 has run
    behalf = next(iter(host.hypercalls.live[0].path_ns.values())).behalf
    assert behalf is not None
    earlier = behalf.of(2)
    earlier.spent.add(host.code.index["context_switch"], 7)
    earlier.total_ns = 7
    ids = []
    for name in ("b", "c", "d"):
        done(host, host.toolstack.domains.create({**GUEST, "name": name}))
        ids.append(host.telemetry.snapshot().find(name).domid)
    assert [DOMID_FIRST_RESERVED - 1, 2, 3] == ids
    spent = measured(host.telemetry.snapshot().find("Domain-0").on_behalf)
    assert ("c" in spent, spent["(ended)"]) == (False, ModeTimes(0, 0, 7))
