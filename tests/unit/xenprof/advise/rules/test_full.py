from dataclasses import replace

import pytest

from tests.support.advising import change_of, commands, disk, facts, given, guest, ids, vif

DISK = disk("hda", is_emulated=True, answered_per_second=5.0)
CARD = vif(is_emulated=True, receive_bits_per_second=0.4e6, transmit_bits_per_second=0.6e6)
WIN = guest("win", kind="hvm", disk_elevator="noop")


def test_emulated_disks_with_requests_get_a_driver():
    assert ("modprobe xen-vbd",) == commands(facts(replace(WIN, disks=(DISK,))), "win")


def test_emulated_cards_with_packets_get_a_driver():
    assert ("modprobe xen-vnif",) == commands(facts(replace(WIN, vifs=(CARD,))), "win")


@pytest.mark.parametrize(
    ("known", "figures"),
    [({"vifs": (CARD,)}, ["processor time, domain 0's too"]), ({"disks": (DISK,)}, [])],
)
def test_it_is_seen_by_the_cost_of_a_byte_and_not_by_what_grows_with_the_work(known, figures):
    [advice] = given(facts(replace(WIN, **known)))
    assert figures == [one.name for one in change_of(advice).gauges]
    assert all(one.measure.per for one in change_of(advice).gauges)


@pytest.mark.parametrize(
    "owner",
    [
        replace(WIN, disks=(replace(DISK, answered_per_second=4.9),)),
        replace(WIN, vifs=(replace(CARD, transmit_bits_per_second=0.59e6),)),
        replace(WIN, disks=(replace(DISK, is_emulated=False),)),
        replace(WIN, disks=(replace(DISK, is_emulated=None),)),
        replace(WIN, disks=(replace(DISK, answered_per_second=None),)),
        replace(WIN, vifs=(replace(CARD, is_emulated=None),)),
        replace(WIN, kind="pv", disks=(DISK,)),
    ],
)
def test_else_nothing_is_loaded(owner):
    assert [] == ids(facts(owner))
