import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.network.shaper import TICK_NS, CreditShaper

MS = 1_000_000


def send_all(shaper, packets, packet_bytes, now_ns=0):
    """Send a backlog as the model does, asking again when told; return (ns, packets)."""
    sent = []
    while packets:
        admitted, retry_ns = shaper.admit(now_ns, packets, packet_bytes)
        if admitted:
            sent.append((now_ns, admitted))
        packets -= admitted
        now_ns = retry_ns
    return sent


def test_10mbit_sends_41_full_frames_in_a_window():
    sent = send_all(CreditShaper(62_500, 50_000), 41 * 100, 1514)
    expected = [(window * 50 * MS, 41) for window in range(100)]
    assert expected == sent


def test_10mbit_gives_62074_bytes_a_window_in_the_long_run():
    sent = send_all(CreditShaper(62_500, 50_000), 41 * 2000, 1514)
    total = sum(packets for at, packets in sent if at < 100_000 * MS) * 1514
    expected = 62_074 * 2000
    assert expected == total


def test_a_jumbo_packet_above_the_window_waits_until_credit_has_grown_to_it():
    sent = send_all(CreditShaper(50_000, 50_000), 3, 131_072)
    expected = [(100 * MS, 1), (250 * MS, 1), (400 * MS, 1)]
    assert expected == sent


def test_unused_credit_does_not_pile_up():
    shaper = CreditShaper(62_500, 50_000)
    shaper.admit(0, 41, 1514)
    expected = 41
    assert expected == shaper.admit(10_000 * MS, 1000, 1514)[0]


def test_a_small_packet_passes_while_a_big_one_waits():
    shaper = CreditShaper(62_500, 50_000)
    big = shaper.admit(0, 42, 1514)
    small = shaper.admit(1, 1, 60)
    assert [big, small] == [(41, 50 * MS), (1, None)]


def test_a_burst_after_a_pause_starts_its_own_window():
    shaper = CreditShaper(62_500, 50_000)
    shaper.admit(0, 40, 1514)
    admitted = shaper.admit(70 * MS, 100, 1514)
    expected = (1 + 41, 120 * MS)  # one from the remaining credit, then a window that begins now
    assert expected == admitted


def test_a_late_question_does_not_shift_the_windows():
    shaper = CreditShaper(62_500, 50_000)
    shaper.admit(0, 50, 1514)
    expected = (41, 100 * MS)
    assert expected == shaper.admit(70 * MS, 50, 1514)


def test_no_window_is_no_limit():
    expected = (10**6, None)
    assert expected == CreditShaper(4_294_967_295, 0).admit(0, 10**6, 65_536)


@pytest.mark.parametrize("window_us", [1, 500, 3999])
def test_a_window_below_a_tick_of_domain_0_lasts_a_tick(window_us):
    shaper = CreditShaper(1514, window_us)
    shaper.admit(0, 1, 1514)
    expected = (0, TICK_NS)
    assert expected == shaper.admit(1, 1, 1514)


@pytest.mark.parametrize("window_us", [10_000, 50_000, 333_333])
def test_a_longer_window_lasts_as_long_as_it_is_configured(window_us):
    shaper = CreditShaper(1514, window_us)
    shaper.admit(0, 1, 1514)
    expected = (0, window_us * 1000)
    assert expected == shaper.admit(1, 1, 1514)


def one_by_one(window_bytes, window_ns, arrivals):
    """Apply netback's rule packet by packet, to a backlog that is there from the start."""
    remaining, last, now, times = window_bytes, 0, 0, []
    for size in arrivals:
        while size > remaining:
            now = max(now, last + window_ns)
            remaining = min(remaining + window_bytes, max(window_bytes, min(size, 131_072)))
            last = now
        remaining -= size
        times.append(now)
    return times


@given(
    st.integers(2_000, 200_000),
    st.lists(st.tuples(st.integers(1, 80), st.integers(60, 65_000)), min_size=1, max_size=12),
)
def test_batches_are_sent_when_single_packets_would_be(window_bytes, batches):
    shaper = CreditShaper(window_bytes, 50_000)
    times, now = [], 0
    for packets, size in batches:
        for at, count in send_all(shaper, packets, size, now):
            times += [at] * count
        now = times[-1]
    expected = one_by_one(
        window_bytes, 50 * MS, [size for packets, size in batches for _ in range(packets)]
    )
    assert expected == times


@pytest.mark.parametrize("size", [60, 590, 1514, 9014])
def test_no_second_of_a_backlog_exceeds_the_rate(size):
    sent = send_all(CreditShaper(500_000, 50_000), 20_000_000 // size, size)
    for start in range(1000 * MS // (50 * MS)):
        begin = start * 50 * MS
        in_second = sum(n * size for at, n in sent if begin <= at < begin + 1000 * MS)
        assert in_second <= 10_000_000


# Time held


def test_a_full_window_is_held_until_the_next_one():
    shaper = CreditShaper(62_500, 50_000)
    shaper.admit(0, 42, 1514)  # 41 of them fit
    held = [shaper.held_ns(at) for at in (0, 10 * MS, 50 * MS, 70 * MS)]

    assert [0, 10 * MS, 50 * MS, 50 * MS] == held


def test_time_is_held_once_however_many_packets_wait():
    held = []
    for packets in (42, 82):  # one packet that is held for a window, or 41
        shaper = CreditShaper(62_500, 50_000)
        shaper.admit(0, packets, 1514)
        shaper.admit(50 * MS, packets - 41, 1514)
        held.append(shaper.held_ns(1000 * MS))

    assert [50 * MS, 50 * MS] == held


def test_a_backlog_of_ten_windows_is_held_for_nine():
    shaper = CreditShaper(62_500, 50_000)
    send_all(shaper, 41 * 10, 1514)

    assert 9 * 50 * MS == shaper.held_ns(10_000 * MS)


@given(st.integers(1, 41))
def test_a_load_within_the_limit_is_never_held(packets):
    shaper = CreditShaper(62_500, 50_000)
    for window in range(1, 20):
        shaper.admit(window * 50 * MS, packets, 1514)

    assert 0 == shaper.held_ns(1000 * MS)


@given(st.integers(1, 40), st.integers(2, 20))
def test_a_load_of_n_limits_that_comes_at_once_is_held_for_n_less_one_windows(spare, windows):
    shaper = CreditShaper(62_500, 50_000)
    sent = send_all(shaper, 41 * windows - spare, 1514)

    assert (windows - 1) * 50 * MS == shaper.held_ns(10**12) == sent[-1][0]


def test_no_limit_holds_nothing():
    shaper = CreditShaper(62_500, 0)
    shaper.admit(0, 10**6, 1514)

    assert 0 == shaper.held_ns(10**12)


def test_who_is_not_there_any_more_when_the_timer_expires_is_held_no_longer():
    shaper = CreditShaper(62_500, 50_000)
    shaper.admit(0, 42, 1514)

    assert 50 * MS == shaper.held_ns(10**12)
