"""Says what a request is, and what a receiver answers to it, over whichever protocol."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from xenprof.discretion import Secrets

MOST_ANSWER_BYTES = 1 << 16
MOST_REQUEST_BYTES = 3 << 20
"""Receivers of gRPC refuse messages above 4 MiB unless they are told otherwise."""
LONGEST_PAUSE_SECONDS = 600.0  # that a receiver may ask for; judgement
MOST_TEXT = 300  # characters of a receiver's message; judgement


@dataclass(frozen=True, slots=True)
class Answer:
    """What has become of a request.

    It was taken if there is no `error`, perhaps in part. After one that is temporary, the same
    request may be taken later, not before `pause_seconds` have passed.
    """

    error: str = ""
    is_temporary: bool = False
    pause_seconds: float = 0.0
    rejected: int = 0  # points, records, spans or profiles that it refuses for good
    message: str = ""  # what the receiver has to say about a request that it took


@dataclass(frozen=True, slots=True)
class Request:
    """The bytes of a request, and how many points, records, spans or profiles are in it."""

    body: bytes
    items: int


class Feed(Protocol):
    """Makes the requests of one signal; all methods are called on the thread that sends them."""

    def poll(self) -> None:
        """Take over what is new, also while nothing can be sent."""
        ...

    def requests(self) -> Iterator[Request]:
        """Yield what is to be sent now; each one is settled before the next is asked for."""
        ...

    def settle(self, request: Request, *, is_taken: bool) -> None:
        """Forget a request that the receiver has taken, or that it refuses for good."""
        ...

    def put_off(self) -> int:
        """Keep what is not settled for later; return how much of it cannot be kept."""
        ...

    @property
    def waiting(self) -> int:
        """Return how many items wait."""
        ...


class Sender(Protocol):
    """Sends requests of one signal to one receiver."""

    def send(self, body: bytes, timeout_seconds: float) -> Answer:
        """Send a request and wait for its answer; it raises nothing."""
        ...

    def close(self) -> None:
        """Release the connection; may be called from another thread, during `send` too."""
        ...


def taken(data: bytes, secrets: Secrets) -> Answer:
    """Return the answer in the body of a response that was taken."""
    # The responses of all signals have the same fields, but for names.
    response = ExportMetricsServiceResponse()
    try:
        response.ParseFromString(data)
    except DecodeError:
        return Answer()  # some receivers answer with JSON, or with nothing
    part = response.partial_success
    message = one_line(secrets.hide(part.error_message))
    return Answer(rejected=max(part.rejected_data_points, 0), message=message)


def one_line(text: str) -> str:
    """Return a text of a receiver as one short line."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= MOST_TEXT else f"{line[:MOST_TEXT]}..."


def pause(seconds: float) -> float:
    """Return a pause that a receiver asks for, within bounds."""
    return min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS)
