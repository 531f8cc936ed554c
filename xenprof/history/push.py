"""Sends slices to a receiver over HTTP, on a thread of its own: retried, bounded, counted.

Only the thread waits for the receiver. A slice that cannot be sent is tried again, with
longer and longer pauses; beyond MAX_WAITING the oldest slice is dropped.
"""

import http.client
import logging
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

from hypervisor.deadlines import Deadline, Timed, TimedSecure
from xenprof.discretion import Secrets, shown_url
from xenprof.errors import UsageError, XenprofError
from xenprof.profile.stacks import StackProfile
from xenprof.wire.history import PushStats

log = logging.getLogger(__name__)

MAX_WAITING = 60  # ten minutes of slices of ten seconds; judgement
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
TIMEOUT_SECONDS = 10.0
CLOSE_SECONDS = 1.5
"""The longest time that the last pushes take together, as those of OTLP."""
_MOST_SAID = 400  # characters of a receiver's message; judgement
_WORTH_RETRYING = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP request with a body; `url` without user and password."""

    url: str
    body: bytes
    content_type: str


class Receiver(Protocol):
    """Makes the requests that a kind of receiver expects."""

    kind: str
    url: str  # without user and password

    def message(self, profile: StackProfile) -> Message:
        """Return the request that carries a profile."""
        ...


class Refusal(XenprofError):
    """The receiver refuses this slice, however often it is sent."""


@dataclass(frozen=True, slots=True)
class Address:
    """A URL without user and password, and the header made from these."""

    url: str
    authorization: str | None

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Split user and password from a URL. Raises: UsageError: it is not an HTTP URL."""
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError as error:
            # The reason may show a part of a password that is not encoded.
            reason = "" if "@" in text else f": {error}"
            raise UsageError(f"{shown_url(text)!r} is not a URL{reason}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{shown_url(text)!r} is not a URL like http://host:port/path")
        if parts.username is None:
            return cls(text, None)
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        return cls(url, "Basic " + b64encode(pair.encode()).decode())


class Pusher:
    """Pushes to one receiver. `offer` and `stats` may be called from any thread."""

    def __init__(
        self,
        receiver: Receiver,
        authorization: str | None = None,
        *,
        send: "Callable[[Message, str | None], None] | None" = None,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
        close_seconds: float = CLOSE_SECONDS,
    ) -> None:
        """Start the thread. `send` raises Refusal, or OSError if another try may succeed."""
        self.kind = receiver.kind
        self._receiver = receiver
        self._shown = shown_url(receiver.url)
        self._secrets = Secrets(receiver.url, [authorization or ""])
        self._authorization = authorization
        self._send = send or post
        self._first_pause = first_pause_seconds
        self._close_seconds = close_seconds
        self._waiting: deque[StackProfile] = deque()
        self._changed = threading.Condition()
        self._closing_at: float | None = None
        self._sent = self._dropped = self._failures = 0
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name=f"push {self.kind}", daemon=True)
        self._thread.start()

    def offer(self, profile: StackProfile) -> None:
        """Queue a slice; the oldest is dropped if there are too many."""
        with self._changed:
            self._waiting.append(profile)
            full = len(self._waiting) > MAX_WAITING
            if full:
                self._waiting.popleft()
                self._dropped += 1
            self._changed.notify()
        if full:
            log.warning("%s: %d slices wait; the oldest is dropped", self._shown, MAX_WAITING)

    def stats(self) -> PushStats:
        """Return the statistics of the push."""
        with self._changed:
            return PushStats(self._sent, self._dropped, self._failures, len(self._waiting))

    def stop(self) -> None:
        """Send waiting slices for a short while yet; nothing more may be offered."""
        with self._changed:
            self._closing_at = time.monotonic() + self._close_seconds
            self._changed.notify()

    def close(self) -> None:
        """Wait until that while is over, drop the rest and log how many.

        A receiver whose answer is not there by then is left alone.
        """
        if self._closing_at is None:
            self.stop()
        assert self._closing_at is not None
        self._thread.join(max(self._closing_at - time.monotonic(), 0.0))
        with self._changed:
            left = len(self._waiting)
            self._waiting.clear()
            self._dropped += left
        if left:
            log.warning("%s: %d slices were not sent before the end", self._shown, left)

    def _run(self) -> None:
        pause = self._first_pause
        while (profile := self._next()) is not None:
            try:
                self._send(self._receiver.message(profile), self._authorization)
            except Refusal as error:
                log.error("%s refuses a slice: %s", self._shown, self._said(error))
                self._done(profile, dropped=True)
            except (OSError, http.client.HTTPException) as error:
                self._failed(error)
                if not self._sleep(pause):
                    return
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            except Exception:  # a bug must not end the push
                log.exception("a slice could not be sent")
                self._done(profile, dropped=True)
            else:
                pause = self._first_pause
                self._worked()
                self._done(profile)

    def _next(self) -> StackProfile | None:
        """Return the oldest slice, which stays in the queue; None if there will be no more."""
        with self._changed:
            while not self._waiting:
                if self._closing_at is not None:
                    return None
                self._changed.wait()
            if self._closing_at is not None and time.monotonic() >= self._closing_at:
                return None
            return self._waiting[0]

    def _done(self, profile: StackProfile, *, dropped: bool = False) -> None:
        with self._changed:
            self._dropped += dropped
            self._failures += dropped
            self._sent += not dropped
            if self._waiting and self._waiting[0] is profile:
                self._waiting.popleft()
            else:  # it was counted as dropped while it was being sent
                self._dropped -= 1

    def _failed(self, error: Exception) -> None:
        with self._changed:
            self._failures += 1
        if not self._is_failing:
            self._is_failing = True
            log.error("%s: %s; tried again", self._shown, self._said(error))

    def _said(self, error: Exception) -> str:
        said = self._secrets.hide(str(error))  # as a whole: a part of a secret is not found
        return said[:_MOST_SAID] or type(error).__name__

    def _worked(self) -> None:
        if self._is_failing:
            self._is_failing = False
            log.warning("%s takes slices again", self._shown)

    def _sleep(self, seconds: float) -> bool:
        """Wait for the next try; return whether there may be one."""
        until = time.monotonic() + seconds
        with self._changed:
            while (now := time.monotonic()) < until:
                if self._closing_at is not None:
                    # While closing there is one more try and no pause.
                    self._changed.wait(max(min(until, self._closing_at) - now, 0.0))
                    return time.monotonic() < self._closing_at
                self._changed.wait(until - now)
        return True


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Makes a redirect an error: following it would turn the POST into a GET."""

    def redirect_request(self, *_: object) -> None:
        return None


class _Http(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(Timed, _deadline_of(request)), request)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(TimedSecure, _deadline_of(request)), request)


def _deadline_of(request: urllib.request.Request) -> Deadline:
    return Deadline(request.timeout or TIMEOUT_SECONDS)


def post(
    message: Message, authorization: str | None, timeout_seconds: float = TIMEOUT_SECONDS
) -> None:
    """Send a request. Raises: Refusal; OSError or HTTPException for temporary failures."""
    request = urllib.request.Request(
        message.url, message.body, {"Content-Type": message.content_type}, method="POST"
    )
    if authorization is not None:
        request.add_unredirected_header("Authorization", authorization)
    opener = urllib.request.build_opener(_NoRedirects, _Http, _Https)
    try:
        with opener.open(request, timeout=timeout_seconds) as answer:
            answer.read(1 << 16)
    except urllib.error.HTTPError as error:
        with error:
            text = " ".join(error.read(1 << 16).decode("utf-8", "replace").split())
        line = f"HTTP {error.code} {text}".strip()
        if error.code >= 500 or error.code in _WORTH_RETRYING:
            raise OSError(line) from None
        raise Refusal(line) from None
