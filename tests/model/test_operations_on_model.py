"""Operations of the toolstack on a running host, and the pages, grants and ports of domains."""

from typing import Any

import pytest

from hypervisor.traceids import boot_name, trace_id
from tests.support.model.hosts import SECOND, domain, fileio, make_host, netperf

IDLE = {"kind": "idle"}
CONFIG = {
    "name": "new",
    "memory": "64",
    "kernel": "/boot/vmlinuz-2.6.18-8.el5xen",
    "disk": ["phy:/dev/sdb7,xvda,w"],
    "vif": ["bridge=xenbr0"],
}


def seen(host, name) -> Any:
    """Return the snapshot of a domain, of which the model knows everything."""
    return next(one for one in host.telemetry.snapshot().domains if one.name == name)


def ended(host, operation):
    assert host.advance_until(lambda: operation.is_done, 120 * SECOND)
    return operation.result()


def records(host):
    return host.telemetry.snapshot().last_operations


def spans(record):
    return {step.name: step.ended_ns - step.began_ns for step in record.steps}


def test_domains_of_the_scenario_are_there_at_boot_without_an_operation():
    snapshot = make_host(domain("a", IDLE)).telemetry.snapshot()

    assert (snapshot.last_operations, snapshot.operations) == ((), ())


def test_a_creation_takes_the_time_of_its_programs_in_domain_0():
    host = make_host(domain("a", IDLE))
    ended(host, host.toolstack.domains.create(CONFIG))
    (record,) = records(host)
    took = spans(record)

    assert list(took) == ["free memory", "xend", "builder", "hotplug vif 0", "hotplug vbd 51712"]
    # The CPU time that each of them needs on an idle host, and a little for domain 0's own.
    assert 30e6 <= took["xend"] < 34e6
    assert 40e6 <= took["builder"] < 44e6
    # One vcpu of domain 0 runs both scripts: 80 ms and 60 ms of work.
    assert 130e6 <= max(took["hotplug vif 0"], took["hotplug vbd 51712"]) < 150e6
    assert record.ended_ns - record.began_ns == pytest.approx(
        took["xend"] + took["builder"] + 140e6, rel=0.05
    )


def test_a_save_takes_as_long_as_the_disk_needs_for_the_memory(tmp_path):
    host = make_host(domain("a", IDLE))
    host.advance(SECOND)
    ended(host, host.toolstack.domains.save("a", str(tmp_path / "a")))
    ended(host, host.toolstack.domains.restore(str(tmp_path / "a")))
    save, restore = records(host)

    # 128 MiB at 80 MB/s, with seeks between the lots.
    assert (save.operation, restore.operation) == ("save", "restore")
    assert 1.67 < spans(save)["memory"] / SECOND < 3
    assert 1.67 < spans(restore)["memory"] / SECOND < 3
    assert (save.domid, restore.domid) == (1, 2)


def test_latencies_during_a_save_lead_to_it(tmp_path):
    host = make_host(domain("a", IDLE), domain("b", fileio(rate_per_second=100)))
    host.advance(2 * SECOND)
    before = seen(host, "b").vbds[0].read_latency.exemplars
    saving = host.toolstack.domains.save("a", str(tmp_path / "a"))
    host.advance(3 * SECOND)
    during = [one for one in seen(host, "b").vbds[0].read_latency.exemplars if one]
    ended(host, saving)
    expected = trace_id(boot_name(host.name, 0), "operation", 1)

    assert {one.trace_id for one in before if one} == {None}
    assert {one.trace_id for one in during if one.unix_ns > 2.5 * SECOND} == {expected}
    assert records(host)[0].trace_id == expected


def test_histograms_and_records_agree_and_grow():
    host = make_host(domain("a", IDLE))
    for name in ("a", "nobody", "a"):
        try:
            host.toolstack.domains.pause(name)
        except Exception as error:
            assert str(error) == "Domain 'nobody' does not exist."
    snapshot = host.telemetry.snapshot()

    assert [(one.operation, one.result, sum(one.durations.counts)) for one in snapshot.operations] == [
        ("pause", "done", 2), ("pause", "failed", 1),
    ]  # fmt: skip
    assert [one.serial for one in snapshot.last_operations] == [1, 2, 3]


@pytest.mark.parametrize(
    ("rules", "field", "other"),
    [("3.0.3", "page_flips", "page_copies"), ("3.1", "page_copies", "page_flips")],
)
def test_every_received_page_is_flipped_or_copied_and_domain_0_is_the_other_side(
    rules, field, other
):
    host = make_host(
        domain("a", netperf("receive", rate_bits_per_second=20_000_000)),
        domain("b", netperf("receive", rate_bits_per_second=10_000_000)),
        hypervisor=rules,
    )
    host.advance(2 * SECOND)
    dom0, one, two = host.telemetry.snapshot().domains
    moved = getattr(one, field)

    # One page for a frame; acknowledgements need none, and here nothing comes but frames.
    assert 0 <= moved - one.vifs[0].receive_packets <= 128
    assert getattr(dom0, field) == moved + getattr(two, field)
    assert [getattr(each, other) for each in (dom0, one, two)] == [0, 0, 0]


def test_pages_of_a_domain_that_has_gone_stay_counted_for_domain_0():
    host = make_host(domain("a", netperf("receive", rate_bits_per_second=20_000_000)))
    host.advance(2 * SECOND)
    host.toolstack.domains.destroy("a")
    before = seen(host, "Domain-0").page_flips
    host.advance(3 * SECOND)

    assert seen(host, "Domain-0").page_flips == before > 3000


def test_a_vif_takes_514_grants_and_a_port_and_a_disk_one_of_each_until_it_works():
    host = make_host(domain("none", IDLE, vif=[], disk=[]), domain("both", IDLE))
    host.advance(SECOND)
    none, both = seen(host, "none"), seen(host, "both")

    assert (none.grants, none.event_channels) == (8, 1)  # what is reserved
    assert (both.grants - none.grants, both.event_channels - none.event_channels) == (515, 2)
    assert (both.grants_limit, both.event_channels_limit) == (2048, 4096)


def test_requests_in_the_ring_hold_a_grant_for_each_page():
    host = make_host(domain("a", fileio(block_bytes=44 * 1024, queue_depth=8), vif=[]))
    host.advance(SECOND)

    assert seen(host, "a").grants == 8 + 1 + 8 * 11


def test_domain_0_has_a_port_for_every_device():
    host = make_host(*(domain(name, IDLE) for name in "abc"))
    before = seen(host, "Domain-0").event_channels
    host.toolstack.domains.destroy("c")
    host.advance(SECOND)

    assert before - seen(host, "Domain-0").event_channels == 2


@pytest.mark.parametrize(
    ("settings", "host_settings", "limit"),
    [
        ({}, {}, 4096),
        ({}, {"arch": "i386"}, 1024),
        ({"arch": "i386"}, {"support_limits": False}, 1024),
        ({"arch": "i386", "kind": "hvm"}, {}, 4096),  # it is the hypervisor that has the ports
    ],
)
def test_a_domain_with_32_bit_words_has_fewer_ports(settings, host_settings, limit):
    host = make_host(domain("a", IDLE, **settings), hypervisor="3.1", **host_settings)

    assert seen(host, "a").event_channels_limit == limit


def test_waits_during_a_save_lead_to_it(tmp_path):
    host = make_host(domain("a", IDLE), domain("b", {"kind": "cpu"}, cpus="0"), cores_per_socket=1)
    host.advance(2 * SECOND)
    saving = host.toolstack.domains.save("a", str(tmp_path / "a"))
    host.advance(3 * SECOND)
    exemplars = [one for one in seen(host, "b").waits["preempted"].exemplars if one]
    ended(host, saving)
    expected = trace_id(boot_name(host.name, 0), "operation", 1)

    assert {one.trace_id for one in exemplars if one.unix_ns > 2.5 * SECOND} == {expected}
