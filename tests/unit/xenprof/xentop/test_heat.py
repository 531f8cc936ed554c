from dataclasses import replace

import pytest

from hypervisor.telemetry import HostSnapshot, PcpuSnapshot
from xenprof.xentop.heat import heatmap
from xenprof.xentop.span import Span
from xenprof.xentop.table import Kind

SECOND = 10**9


def span(*busy_percents, socket=None, sockets=1):
    """Return two looks, a second apart, between which pcpus were so busy."""
    count = len(busy_percents)
    place = [socket if sockets == 1 else n * sockets // count for n in range(count)]
    before = tuple(PcpuSnapshot(n, place[n], idle_ns=0) for n in range(count))
    now = tuple(
        replace(one, idle_ns=None if busy is None else round((100 - busy) / 100 * SECOND))
        for one, busy in zip(before, busy_percents, strict=True)
    )
    first = HostSnapshot(1, SECOND, SECOND, "xen", pcpus=before)
    return Span(first).then(replace(first, time_ns=2 * SECOND, pcpus=now))


def lines(span, cells=100):
    return [line.text for line in heatmap(span, cells)]


@pytest.mark.parametrize(
    ("busy", "digit"),
    [(0, "0"), (9.9, "0"), (10, "1"), (89.9, "8"), (90, "9"), (100, "9"), (None, "-")],
)
def test_a_digit_tells_the_tenths(busy, digit):
    assert f"             0 {digit}" == lines(span(busy))[1]


def test_the_head_tells_the_average_and_how_many_are_full():
    assert "4 pcpus, busy 50.0 % on average; 1 at 90 % or more" == lines(span(95, 5, 50, 50))[0]


def test_before_there_is_something_to_compare_nothing_is_made_up():
    once = Span(span(50, 50).now)

    assert ["2 pcpus, how busy they are is not known yet", "             0 --"] == lines(once)


def test_each_socket_begins_a_line():
    assert ["socket 0     0 00", "socket 1     2 99"] == lines(span(0, 0, 99, 99, sockets=2))[1:]


def test_a_line_has_as_many_pcpus_as_fit():
    found = [line.cells[0].split()[-1] for line in heatmap(span(*[50] * 40), 40)][1:]

    assert ["0", "16", "32"] == found


def test_a_thousand_pcpus_fit_on_a_small_screen():
    found = list(heatmap(span(*[50] * 1024, sockets=4), 86))

    assert (17, True) == (len(found), all(len(line.text) <= 86 for line in found))


def test_the_lines_are_for_digits():
    assert [Kind.HEAD, Kind.HEAT] == [line.kind for line in heatmap(span(50), 80)]
