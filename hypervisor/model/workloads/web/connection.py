"""The packets of a request for a file, on a connection of its own."""

from typing import Final

from hypervisor.model.workloads.dialogue import Train

REQUEST_BYTES: Final = 300  # of a browser of then, and of the answer's headers (judgement)
FIRST_FLIGHT: Final = 3  # Source: RFC 3390, as Linux 2.6.18 begins


def trains_of(file_bytes: int, mss_bytes: int) -> tuple[Train, ...]:
    """Return the packets of a connection, from its first to the last that its client waits for.

    TCP begins slowly: each acknowledgement, of two segments, lets one segment more be sent.
    """
    trains = [
        Train(is_answer=False, bare=1, opens=True),  # SYN
        Train(is_answer=True, bare=1, opens=True),  # SYN and its acknowledgement
        Train(is_answer=False, bare=1, payload_bytes=REQUEST_BYTES),  # that of it comes first
    ]
    payload = file_bytes + REQUEST_BYTES
    window, flight = FIRST_FLIGHT, 0
    while payload:
        if flight:
            trains.append(Train(is_answer=False, bare=acknowledgements(flight)))
            window += acknowledgements(flight)
        size = min(payload, window * mss_bytes)
        is_first = not flight
        flight = -(-size // mss_bytes)
        trains.append(Train(is_answer=True, payload_bytes=size, is_served=is_first, has_sg=True))
        payload -= size
    return tuple(trains)


def acknowledgements(segments: int) -> int:
    """Return how many acknowledgements tell of so many segments."""
    return -(-segments // 2)
