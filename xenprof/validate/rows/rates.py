"""Rows 7 and 8: the rate limit of an interface.

Source: net_tx_action and tx_add_credit in netback.c of Xen 3.0.3; netif.py of xend.
"""

from itertools import pairwise
from typing import Final

from xenprof.validate.figure import Experiment, Figure
from xenprof.validate.hosts import MS, SECOND, boot, guest, vif_of, work

_HOST: Final = {"cpu": "p4", "sockets": 1, "cores_per_socket": 2, "threads_per_core": 1}
_DATAGRAM: Final = 1472  # fills a frame of 1514 bytes
_WINDOW_NS: Final = 50 * MS
_WINDOWS: Final = 100
_SOURCE: Final = "netback.c and netif.py of Xen 3.0.3"
# Frames are whole, so that up to one of them is left of each window's credit.
_FRAME: Final = 1514


def sent_by_window(rate: str, seed: int, **given: object) -> list[int]:
    """Return the bytes that a guest has sent in each window of 50 ms, after a second."""
    sender = work("netperf", direction="transmit", **given)
    vif = [f"bridge=xenbr0, rate={rate}"]
    host = boot(_HOST, guest("g", sender, vif=vif, memory_mib=512), seed=seed)
    host.advance(SECOND)
    counts = [vif_of(host, "g").transmit_bytes or 0]
    for number in range(1, _WINDOWS + 1):
        host.advance(SECOND + number * _WINDOW_NS)
        counts.append(vif_of(host, "g").transmit_bytes or 0)
    return [after - before for before, after in pairwise(counts)]


def long_run(rate: str, seed: int) -> tuple[float]:
    """Return the Mb/s of datagrams over 5 s, frames with their headers."""
    sent = sent_by_window(rate, seed, test="UDP_STREAM", message_bytes=_DATAGRAM)
    return (_mbit(sent),)


def with_tso(seed: int) -> tuple[float]:
    """Return the same of a TCP stream with TSO."""
    return (_mbit(sent_by_window("10Mb/s", seed)),)


def windows(seed: int) -> tuple[float, float, float]:
    """Return the most and the least that frames take of a window, and the most with TSO."""
    sent = sent_by_window("10Mb/s", seed, test="UDP_STREAM", message_bytes=_DATAGRAM)
    return max(sent), min(sent), max(sent_by_window("10Mb/s", seed))


def _mbit(sent: list[int]) -> float:
    return sum(sent) * 8_000 / (_WINDOWS * _WINDOW_NS)


def _long_run(rate: str, mbit: float) -> Experiment:
    figure = Figure(
        f"rate={rate}, frames of 1514 bytes",
        "Mb/s",
        mbit,
        0.99 * mbit,
        1.01 * mbit,
        "predicted",
        _SOURCE,
    )
    return Experiment(7, long_run, (figure,), (rate,), seeds=2)


def _window(metric: str, published: float, least: float) -> Figure:
    return Figure(metric, "bytes", published, least, published, "predicted", _SOURCE)


_RATES: Final = (
    ("10Mb/s", 10),
    ("100Mb/s", 100),
    ("20MB/s@10ms", 160),
    ("500Mb/s", 500),
    ("900Mb/s", 900),
)
_EVERY_SECOND_WINDOW_MBIT: Final = 65_226 * 8 / 100_000

EXPERIMENTS: Final = (
    *(_long_run(rate, mbit) for rate, mbit in _RATES),
    Experiment(
        7,
        with_tso,
        (
            Figure(
                "rate=10Mb/s, TCP with TSO: a packet of 65 226 bytes in every second window",
                "Mb/s",
                _EVERY_SECOND_WINDOW_MBIT,
                0.99 * _EVERY_SECOND_WINDOW_MBIT,
                1.01 * _EVERY_SECOND_WINDOW_MBIT,
                "predicted",
                _SOURCE,
            ),
        ),
        seeds=2,
    ),
    Experiment(
        8,
        windows,
        (
            _window(
                "rate=10Mb/s, frames of 1514 bytes: the most in 50 ms", 62_500, 62_500 - _FRAME
            ),
            _window("the same: the least in 50 ms", 62_500, 62_500 - _FRAME),
            _window("a packet of 65 226 bytes: the most in 50 ms", 65_226, 65_226),
        ),
        seeds=2,
    ),
)
