import pytest

from hypervisor.model.network.tcp import Connection, TcpOptions
from hypervisor.model.timing.clock import Clock
from tests.support.model.lots import Wanderer

MS = 1_000_000
SEGMENT = 1448


class Ends:
    """A connection between two hosts outside, whose programs are this test."""

    def __init__(self, *, station_has_tso=True, **options):
        self.clock = Clock()
        self.source = Wanderer("source", has_tso=station_has_tso)
        self.target = Wanderer("target")
        self.tcp = Connection(
            self.clock, self.source, self.target, TcpOptions(**options), self, self
        )
        self.tcp.congestion.segments = 10_000
        self.is_waiting = True
        self.calls = 0
        self.came = []

    def opened(self):
        self.calls += 1

    def arrived(self, lot):
        self.came.append(lot)

    def send(self, payload):
        return self.tcp.segments(payload)

    def read(self, lot):
        """Read a lot, and let its acknowledgements arrive; return their number."""
        self.tcp.arrived(lot)
        acks = self.tcp.acknowledgement(lot)
        if acks is None:
            return 0
        self.tcp.arrived(acks)
        return acks.packets

    def grow(self):
        """Let the window be tuned to its largest."""
        for _ in range(20):
            self.read(self.send(self.tcp.room_bytes()))


def test_a_buffer_of_87380_bytes_is_a_window_of_65535():
    assert 65_535 == Ends().tcp.window_bytes


def test_a_socket_size_is_doubled_and_three_quarters_of_it_are_the_window():
    assert 2 * 32_768 * 3 // 4 == Ends(socket_bytes=32_768).tcp.window_bytes


def test_a_socket_size_is_at_most_rmem_max():
    assert 2 * 131_071 * 3 // 4 == Ends(socket_bytes=2**20).tcp.window_bytes


@pytest.mark.parametrize("socket_bytes", [1, 700, 1024])
def test_a_small_socket_has_what_the_kernel_gives_it_at_least(socket_bytes):
    """SOCK_MIN_SNDBUF, of which a segment fits in; a window is a segment at least."""
    tcp = Ends(socket_bytes=socket_bytes).tcp
    assert (2048 * 3 // 4, True) == (tcp.window_bytes, tcp.room_bytes() > 0)


def test_a_peer_with_64_kib_gets_packets_of_22_segments():
    assert 22 * SEGMENT == Ends().tcp.packet_bytes


def test_a_window_of_twice_22_segments_is_full_with_two_such_packets():
    assert 2 * 22 * SEGMENT == Ends().tcp.room_bytes()


def test_a_tuned_window_takes_packets_of_45_segments():
    ends = Ends()
    ends.grow()

    assert 45 * SEGMENT == ends.tcp.packet_bytes == 65_160


@pytest.mark.parametrize(("station", "option"), [(False, True), (True, False)])
def test_without_tso_packets_are_segments(station, option):
    ends = Ends(station_has_tso=station, has_tso=option)

    assert SEGMENT == ends.tcp.packet_bytes


def test_a_packet_of_45_segments_brings_back_22_acknowledgements():
    ends = Ends()
    ends.grow()
    ends.tcp._unacked_packets = ends.tcp._unacked_bytes = 0

    assert 22 == ends.read(ends.send(65_160))


def test_the_last_of_an_odd_number_is_acknowledged_after_40_ms():
    ends = Ends()
    assert 1 == ends.read(ends.send(3 * SEGMENT))
    left = ends.tcp.in_flight_bytes
    ends.clock.run_until(39 * MS)
    early = len(ends.target.sent)
    ends.clock.run_until(41 * MS)

    assert (SEGMENT, 0, 1) == (left, early, len(ends.target.sent))
    assert SEGMENT == ends.target.sent[0].mark


def test_a_short_last_segment_is_acknowledged_at_once():
    ends = Ends()
    ends.read(ends.send(2 * SEGMENT + 100))

    assert 0 == ends.tcp.in_flight_bytes


def test_what_the_sender_does_not_wait_for_is_known_at_once():
    ends = Ends()
    ends.is_waiting = False
    acks = ends.read(ends.send(20 * SEGMENT))

    assert (0, 0) == (acks, ends.tcp.in_flight_bytes)


def test_acknowledgements_that_nobody_waits_for_are_moved_by_128():
    ends = Ends()
    ends.is_waiting = False
    moved = [ends.read(ends.send(100 * SEGMENT)) for _ in range(6)]

    assert [0, 0, 150, 0, 0, 150] == moved


def test_acknowledgements_that_nobody_waits_for_are_moved_after_200_ms_at_last():
    ends = Ends()
    ends.is_waiting = False
    ends.read(ends.send(20 * SEGMENT))
    ends.clock.run_until(200 * MS - 1)
    early = list(ends.target.sent)
    ends.clock.run_until(200 * MS)

    assert ([], [(10, 0)]) == (early, [(one.packets, one.mark) for one in ends.target.sent])


def test_a_sender_that_waits_again_gets_its_acknowledgement_in_time():
    """A later look at held ones does not put a single one off."""
    ends = Ends()
    ends.is_waiting = False
    ends.read(ends.send(20 * SEGMENT))
    ends.is_waiting = True
    ends.read(ends.send(SEGMENT))
    ends.clock.run_until(40 * MS)

    assert [(1, SEGMENT)] == [(one.packets, one.mark) for one in ends.target.sent]


def test_nothing_is_sent_until_a_third_of_the_window_is_open():
    ends = Ends(socket_bytes=32_768)
    window = ends.tcp.room_bytes()
    ends.send(window - window // 4)
    closed = ends.tcp.room_bytes()
    ends.tcp.in_flight_bytes = window // 2

    assert (0, True) == (closed, ends.tcp.room_bytes() > 0)


def test_a_loss_is_found_by_three_later_acknowledgements_and_sent_again():
    ends = Ends()
    lost, later = ends.send(10 * SEGMENT), ends.send(10 * SEGMENT)
    before = ends.tcp.congestion.segments
    ends.tcp.dropped(lost)
    ends.read(later)

    assert 10 * SEGMENT == ends.tcp.take_resend()
    assert (0, before * 819 // 1024) == (ends.tcp.in_flight_bytes, ends.tcp.congestion.segments)


def test_a_window_is_closed_once_for_all_losses_of_a_round_trip():
    ends = Ends()
    lots = [ends.send(10 * SEGMENT) for _ in range(4)]
    ends.tcp.dropped(lots[0])
    ends.read(lots[1])
    once = ends.tcp.congestion.segments
    ends.tcp.dropped(lots[2])
    ends.read(lots[3])

    assert once == ends.tcp.congestion.segments


def test_what_nothing_tells_of_is_sent_again_after_200_400_and_800_ms():
    ends = Ends()
    tries = []
    for wait in (200, 400, 800):
        ends.tcp.dropped(ends.send(SEGMENT))
        begin = ends.clock.now
        ends.clock.run_until(begin + wait * MS - 1)
        early = ends.tcp.take_resend()
        ends.clock.run_until(begin + wait * MS)
        tries.append((early, ends.tcp.take_resend()))

    assert [(0, SEGMENT)] * 3 == tries


def test_a_lost_acknowledgement_is_made_good_by_the_next():
    ends = Ends()
    first, second = ends.send(2 * SEGMENT), ends.send(2 * SEGMENT)
    ends.tcp.arrived(first)
    acks = ends.tcp.acknowledgement(first)
    assert acks is not None
    ends.tcp.dropped(acks)
    ends.read(second)

    assert 0 == ends.tcp.in_flight_bytes


def test_packets_are_cut_to_a_third_of_the_congestion_window():
    ends = Ends()
    ends.grow()
    ends.tcp.congestion.segments = 30

    assert 10 * SEGMENT == ends.send(40_000).unit_bytes


@pytest.mark.parametrize("each", [1000, 5 * SEGMENT, 50_000])
def test_what_was_sent_was_acknowledged_or_is_in_flight(each):
    ends = Ends()
    acked = 0
    for _ in range(200):
        room = min(each, ends.tcp.free_bytes())
        if not room:
            ends.clock.run_until(ends.clock.now + 40 * MS)
            continue
        before = ends.tcp.in_flight_bytes
        ends.read(ends.send(room))
        acked += before + room - ends.tcp.in_flight_bytes

    assert 0 <= ends.tcp.in_flight_bytes <= 65_535
    assert acked + ends.tcp.in_flight_bytes == ends.tcp._sent_bytes
