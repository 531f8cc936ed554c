import pytest

from hypervisor.model.network.moderation import DYNAMIC, Moderation, next_rate

SECOND = 1_000_000_000


def test_8000_interrupts_a_second_are_125_us_apart():
    assert 125_000 == Moderation(8000).gap_ns


def test_one_claim_stands_for_the_interrupts_that_could_have_been():
    moderation = Moderation(8000)
    moderation.claim(0, 1, 1500)

    assert 8 == moderation.claim(1_000_000, 100, 150_000)


def test_there_is_no_interrupt_without_a_packet():
    moderation = Moderation(8000)
    moderation.claim(0, 1, 1500)

    assert 3 == moderation.claim(SECOND, 3, 4500)


def test_what_was_claimed_for_received_packets_is_not_claimed_for_sent_ones():
    moderation = Moderation(8000)
    moderation.claim(0, 1, 1500)
    moderation.claim(1_000_000, 100, 150_000)

    assert 0 == moderation.claim_passed(1_100_000, 50)


# Intel's driver 7.3: bulk traffic gets 4000 interrupts a second, small packets 20 000.


@pytest.mark.parametrize(
    ("before", "packets", "size_bytes", "after"),
    [
        (20_000, 20, 30_000, 4000),  # full frames
        (20_000, 8, 12_000, 4000),
        (20_000, 4, 264, 20_000),
        (4000, 20, 30_000, 4000),
        (4000, 40, 26_000, 20_000),
        (4000, 10, 660, 20_000),
    ],
)
def test_the_dynamic_mode_follows_the_traffic(before, packets, size_bytes, after):
    assert after == next_rate(before, packets, size_bytes)


def test_full_frames_at_ten_gigabits_end_at_4000_interrupts_a_second():
    moderation = Moderation(DYNAMIC)
    for tick in range(1, 50):
        moderation.claim(tick * 1_000_000, 812, 1_218_000)

    assert SECOND // 4000 == moderation.gap_ns
