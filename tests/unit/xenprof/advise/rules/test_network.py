from dataclasses import replace

import pytest

from tests.support.advising import commands, domain0, facts, given, guest, ids, vif

# rate=10Mb/s with the usual window: 62 500 bytes of every 65 226 that a large packet has.
LIMITED = vif(
    mac="00:16:3e:00:00:01",
    bridge="xenbr0",
    rate_bytes_per_second=1_250_000,
    rate_window_us=50_000,
    is_limited=True,
    transmit_bits_per_second=5.2e6,
    limited_percent=90.0,
)


def test_a_window_below_one_large_packet_is_made_longer():
    # 131 072 bytes at 1.25 MB/s take 104.9 ms.
    where = "the configuration file of web, in the entry of vif 0 in place of its rate"
    assert ("rate=1250000B/s@105ms",) == commands(facts(guest(vifs=(LIMITED,))), where)


@pytest.mark.parametrize(
    "changed",
    [
        {"rate_window_us": 52_181},  # 65 226.25 bytes
        {"transmit_bits_per_second": 9e6},
        {"limited_percent": 4.9},
        {"rate_window_us": None},
        {"limited_percent": None},
    ],
    ids=["a packet fits", "most gets out", "seldom held", "unknown window", "unknown"],
)
def test_else_the_window_stays(changed):
    assert [] == ids(facts(guest(vifs=(replace(LIMITED, **changed),))))


OWN = domain0(running_percent=20.0)
BUSY = vif(receive_bits_per_second=49e6, transmit_bits_per_second=1e6, is_emulated=False)
SERVED = guest(served_percent=10.0, vifs=(BUSY,))


def test_the_guest_that_takes_most_of_domain_0_gets_a_card():
    [advice] = given(facts(OWN, SERVED))
    assert ("network.card", "consider", "web") == (advice.id, advice.strength, advice.where)


@pytest.mark.parametrize(
    "host",
    [
        facts(OWN, replace(SERVED, served_percent=9.9)),
        facts(domain0(running_percent=20.1), SERVED),
        facts(OWN, replace(SERVED, vifs=(replace(BUSY, receive_bits_per_second=48e6),))),
        facts(OWN, SERVED, dedicated=("web",)),
        facts(OWN, replace(SERVED, served_percent=None)),
        facts(OWN, replace(SERVED, vifs=(replace(BUSY, is_emulated=None),))),
    ],
    ids=["little", "others take more", "disks", "has one", "unknown", "unknown drivers"],
)
def test_else_cards_are_shared(host):
    assert [] == ids(host)


def test_guests_that_talk_to_each_other_may_have_a_bridge_of_their_own():
    host = facts(guest(), guest("db", 2), inner_streams=(("web", "db"),))
    assert (
        "brctl addbr inner",
        "ifconfig inner up",
        "xm network-attach web bridge=inner",
        "xm network-attach db bridge=inner",
    ) == commands(host)
