"""What a snapshot tells of interfaces, the card and the bridge: nothing gets lost uncounted."""

from typing import Any

import pytest

from hypervisor.model.network.netfront import RING_SLOTS
from tests.support.model.hosts import (
    LARGE_WINDOW_FRAMES,
    MS,
    SECOND,
    WINDOW_BYTES,
    domain,
    make_host,
    netperf,
    seen,
)

RULES = ["3.0.3", "3.1"]
LIMITED = {"vif": ["bridge=xenbr0, rate=10Mb/s"]}


def vif(host, name) -> Any:
    """Return the first interface of a domain, of which the model knows everything."""
    return seen(host, name).vifs[0]


def whole(host):
    return host.telemetry.snapshot()


def frontends(host):
    residents = host.hypercalls.residents.values()
    return [vif for one in residents for vif in one.devices.vifs]


def test_what_a_paused_guest_loses_has_the_reason_that_its_ring_is_full():
    host = make_host(domain("a", netperf("receive"), memory_mib=512))
    host.advance(SECOND)
    host.toolstack.domains.pause("a")
    host.advance(3 * SECOND)
    one = vif(host, "a")

    assert one.receive_drops == {"ring_full": one.receive_dropped, "closed": 0}
    assert RING_SLOTS < one.receive_dropped <= LARGE_WINDOW_FRAMES
    # A paused guest posts no buffer: it has as many as were there before less those filled.
    assert (one.receive_ring.used, one.receive_ring.slots) == (0, RING_SLOTS)


def test_an_idle_guest_has_all_its_buffers_posted_and_nothing_to_send():
    host = make_host(domain("a", {"kind": "idle"}))
    host.advance(SECOND)
    one = vif(host, "a")

    assert (one.receive_ring.used, one.transmit_ring.used) == (RING_SLOTS, 0)


def test_what_the_rate_limit_holds_stays_in_the_ring():
    host = make_host(domain("a", netperf("transmit", message_bytes=65536), **LIMITED))
    host.advance(5 * SECOND + 25 * MS)
    ring = vif(host, "a").transmit_ring

    assert ring.used == RING_SLOTS - frontends(host)[0].tx_free > 0


@pytest.mark.parametrize("message_bytes", [16384, 65536])
def test_who_sends_all_he_can_through_a_limit_is_held_nearly_all_the_time(message_bytes):
    host = make_host(domain("a", netperf("transmit", message_bytes=message_bytes), **LIMITED))
    host.advance(10 * SECOND)
    held_ns = vif(host, "a").rate_limited_ns

    # 62 500 bytes of each window of 50 ms take less than 2 ms of netback's time.
    assert 0.96 * host.now_ns < held_ns < host.now_ns


def test_who_sends_less_than_the_limit_is_not_held():
    work = netperf("transmit", rate_bits_per_second=2_000_000, message_bytes=1448)
    host = make_host(domain("a", work, **LIMITED))
    host.advance(10 * SECOND)

    assert (vif(host, "a").rate_limited_ns, vif(host, "a").transmit_packets > 1000) == (0, True)


def test_without_a_limit_nobody_is_held():
    host = make_host(domain("a", netperf("transmit")))
    host.advance(SECOND)

    assert (vif(host, "a").rate_limited_ns, vif(host, "a").rate_limit_bytes) == (0, None)


def test_the_limit_that_is_configured_is_told_in_bytes_per_second():
    host = make_host(domain("a", netperf("transmit"), **LIMITED))
    host.advance(MS)

    assert vif(host, "a").rate_limit_bytes == 1_250_000  # 10Mb/s


@pytest.mark.parametrize("rules", RULES)
def test_every_packet_that_comes_to_the_bridge_goes_on_or_is_dropped(rules):
    """Packets come from outside, from a guest and from domain 0; one receiver is too slow."""
    host = make_host(
        domain("a", netperf("receive"), memory_mib=512),
        domain("b", netperf("to", peer="a", rate_bits_per_second=20_000_000)),
        domain("c", netperf("to", peer="Domain-0", rate_bits_per_second=5_000_000)),
        domain0={"workload": [netperf("receive", rate_bits_per_second=10_000_000)]},
        hypervisor=rules,
    )
    host.advance(SECOND)
    host.toolstack.domains.pause("a")
    host.advance(3 * SECOND)
    host.toolstack.domains.unpause("a")
    host.advance(5 * SECOND)
    own = host.hypercalls.backends.network.first.own
    assert own is not None
    (bridge,), (card,) = whole(host).bridges, whole(host).nics
    vifs = frontends(host)

    came = card.receive_packets + own.traffic.transmit_packets
    came += sum(one.traffic.transmit_packets for one in vifs)
    went = card.transmit_packets + own.traffic.receive_packets
    went += sum(one.traffic.receive_packets for one in vifs)
    # Between the bridge and the counters of both sides are the lots that are on their way.
    lot = 128
    before = came - bridge.forwarded_packets - bridge.dropped_packets
    assert abs(before) <= 4 * lot
    assert 0 <= bridge.forwarded_packets - went <= RING_SLOTS + lot
    lost = sum(one.traffic.receive_dropped for one in vifs)
    assert bridge.dropped_packets == lost > RING_SLOTS


def test_once_all_is_quiet_nothing_is_on_its_way():
    """A sender leaves time between its attempts to reach a paused guest, and the sums are exact."""
    host = make_host(domain("a", netperf("receive"), memory_mib=512))
    host.advance(2 * SECOND)
    host.toolstack.domains.pause("a")
    host.advance(60 * SECOND)
    nic = host.hypercalls.backends.network.cards[0].nic
    assert host.advance_until(lambda: not nic.coming and not nic.ring_packets, SECOND)
    host.advance(host.now_ns + 5 * MS)
    snapshot = whole(host)
    (bridge,), (card,) = snapshot.bridges, snapshot.nics
    (one,) = frontends(host)

    in_ring = RING_SLOTS - one.rx_free
    assert card.receive_packets + one.traffic.transmit_packets == (
        bridge.forwarded_packets + bridge.dropped_packets
    )
    assert bridge.forwarded_packets == (
        card.transmit_packets + one.traffic.receive_packets + in_ring
    )
    assert bridge.dropped_packets == one.traffic.receive_dropped > 0


def test_what_comes_for_a_detached_interface_is_dropped_at_the_bridge():
    host = make_host(domain("a", netperf("receive", rate_bits_per_second=50_000_000)))
    host.advance(SECOND)
    (gone,) = frontends(host)
    before = whole(host).bridges[0].dropped_packets
    host.toolstack.devices.detach_network("a", 0)
    host.advance(3 * SECOND)

    dropped = whole(host).bridges[0].dropped_packets - before
    assert dropped == gone.traffic.receive_drops["closed"] > 100


def test_what_waits_to_be_sent_when_the_interface_is_detached_is_dropped():
    host = make_host(domain("a", netperf("transmit", message_bytes=65536), **LIMITED))
    host.advance(5 * SECOND)
    (gone,) = frontends(host)
    waiting = sum(one.packets for one in (*gone.shaped, *gone.queue))
    gone.close()

    assert gone.traffic.transmit_drops == {"closed": waiting}
    assert waiting == WINDOW_BYTES // 65_160  # all that TCP lets it send


def proc(host, name):
    """Return a row of domain 0's /proc/net/dev: bytes, packets, dropped in, and the same out."""
    for line in host.toolstack.views.proc("0", "net/dev").splitlines():
        head, colon, text = line.partition(":")
        if colon and head.strip() == name:
            row = text.split()
            return tuple(int(row[at]) for at in (0, 1, 3, 8, 9, 11))
    raise AssertionError(f"no {name}")


def test_the_card_has_the_figures_of_proc_and_the_speed_of_gigabit_ethernet():
    host = make_host(domain("a", netperf("receive")), domain("b", netperf("transmit")), mhz=800)
    host.advance(2 * SECOND)
    (card,) = whole(host).nics

    assert (card.name, card.bridge, card.speed_bits_per_second) == ("peth0", "xenbr0", 10**9)
    assert proc(host, "peth0") == (
        card.receive_bytes, card.receive_packets, card.receive_dropped,
        card.transmit_bytes, card.transmit_packets, card.transmit_dropped,
    )  # fmt: skip
    assert card.receive_packets > 1000 < card.transmit_packets


def test_the_bridge_has_received_what_it_forwarded_and_dropped():
    host = make_host(domain("a", netperf("receive")), mhz=500)
    host.advance(2 * SECOND)
    (bridge,) = whole(host).bridges

    received = proc(host, "xenbr0")
    assert received[1] == bridge.forwarded_packets + bridge.dropped_packets


def test_ports_are_the_card_domain_0s_own_and_those_of_the_guests_by_bridge():
    host = make_host(
        domain("a", {"kind": "idle"}),
        domain("b", {"kind": "idle"}, vif=["bridge=xenbr1", "bridge=xenbr0"]),
    )
    bridges = {one.name: one for one in whole(host).bridges}

    assert {name: one.ports for name, one in bridges.items()} == {
        "xenbr0": ("peth0", "vif0.0", "vif1.0", "vif2.1"),
        "xenbr1": ("vif2.0",),
    }
    assert bridges["xenbr1"].forwarded_packets is None


def test_the_disk_has_the_figures_of_domain_0s_diskstats():
    work = [
        {"kind": "fileio", "queue_depth": 8},
        {"kind": "fileio", "op": "write", "rate_per_second": 40},
    ]
    host = make_host(domain("a", *work))
    host.advance(3 * SECOND)
    (disk,) = whole(host).disks
    row = host.toolstack.views.proc("0", "diskstats").split()

    assert (row[2], int(row[3]), int(row[7])) == (
        disk.name, disk.read_requests, disk.write_requests,
    )  # fmt: skip
    assert (int(row[5]), int(row[9])) == (disk.read_bytes // 512, disk.write_bytes // 512)
    assert (int(row[11]), int(row[12])) == (disk.in_flight_requests, disk.busy_ns // MS)
    assert 0 <= disk.wait_ns // MS - int(row[6]) - int(row[10]) <= 1
    assert disk.in_flight_requests > 0 < disk.busy_ns


def test_an_interface_on_which_nothing_happens_is_told_by_the_same_record():
    work = netperf("transmit", rate_bits_per_second=10_000_000)
    host = make_host(domain("a", {"kind": "idle"}), domain("b", work))
    host.advance(SECOND)
    first = [vif(host, name) for name in "ab"]
    host.advance(2 * SECOND)
    second = [vif(host, name) for name in "ab"]

    assert [old is new for old, new in zip(first, second, strict=True)] == [True, False]
