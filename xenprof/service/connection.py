"""A connection of the web server that knows what it is waiting for, and since when."""

import asyncio
import sys
from enum import Enum, auto
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from xenprof.service.limits import Patience


class Phase(Enum):
    """What happens on a connection."""

    HEAD = auto()  # it is idle, or a request's head is incomplete
    BODY = auto()  # a request is being worked on whose body is incomplete
    WORK = auto()  # a request is being worked on
    ANSWER = auto()  # an answer is waiting to be taken


class Connection(H11Protocol):
    """Speaks HTTP on one connection. `tend` ends it when a phase takes too long.

    uvicorn bounds the time between two requests alone, and that only until the first byte.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Take what uvicorn gives to each connection."""
        super().__init__(config, server_state, app_state, _loop)
        self.lost = asyncio.Event()
        self._answers = 0
        self._seen = (Phase.HEAD, 0)
        self._seen_at = self.loop.time()
        self._looks = (-1, -1)  # bytes not taken yet at the last two looks

    def data_received(self, data: bytes) -> None:
        """Take what has come; a length of more digits than Python reads is a bad request too."""
        try:
            super().data_received(data)
        except ValueError:
            self.send_400_response("Invalid HTTP request received.")

    def send_400_response(self, msg: str) -> None:
        """Answer to what is no HTTP, and forget where that was found out."""
        super().send_400_response(msg)
        let_go(sys.exception())

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is over, and let go of what it was spoken with."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self.transport.close()  # a transport by TLS that is closed once more lets go of its buffers
        self.lost.set()

    def on_response_complete(self) -> None:
        """Count an answer; a connection waits for the next request since then."""
        self._answers += 1
        super().on_response_complete()

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is lost to anybody who keeps to the rules if it ends now."""
        phase = self._phase()
        # One look may just have been, and says nothing of a client that reads slowly.
        has_stuck = {*self._looks} == {self._unsent_bytes()}
        return phase is Phase.HEAD or (phase is Phase.ANSWER and has_stuck)

    def tend(self, patience: Patience) -> str:
        """Look what it is waiting for; return why it must end, if it must.

        It is called about once a second, so that phases are as long as the time between looks.
        """
        phase, now = self._phase(), self.loop.time()
        self._looks = (self._looks[1], self._unsent_bytes())
        if (phase, self._answers) != self._seen:
            self._seen, self._seen_at = (phase, self._answers), now
            return ""
        waited = now - self._seen_at
        match phase:
            case Phase.HEAD if waited > patience.head:
                return f"no request was complete within {patience.head:g} s"
            case Phase.BODY if waited > patience.body:
                return f"a request's body was not complete within {patience.body:g} s"
            case Phase.ANSWER if waited > patience.answer:
                return f"an answer was not taken within {patience.answer:g} s"
        return ""

    def _phase(self) -> Phase:
        if self._unsent_bytes():
            return Phase.ANSWER
        if self.cycle is None or self.cycle.response_complete:
            return Phase.HEAD
        return Phase.BODY if self.cycle.more_body else Phase.WORK

    def _unsent_bytes(self) -> int:
        if self.transport is None or self.lost.is_set():
            return 0
        return self.transport.get_write_buffer_size()


def let_go(error: BaseException | None) -> None:
    """Let an error forget where it came from.

    The functions that it came through hold the error and the connection, whose buffers are
    large: nothing of this is freed before Python looks for garbage, which it rarely does here.
    """
    if error is not None:
        error.__traceback__ = None
