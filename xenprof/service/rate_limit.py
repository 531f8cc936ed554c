"""Limits how many requests a listener answers, as rate_limit of a web config file says."""

import math
import time
from collections.abc import Callable

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from xenprof.service.webconfig import RateLimitConfig, WebConfigFile


class RateLimit:
    """ASGI middleware that answers 429 to requests beyond the limit.

    A bucket holds `burst` requests, and gets one more each `interval`. All clients share it, as
    in the exporters of Prometheus.
    """

    def __init__(
        self, app: ASGIApp, config: WebConfigFile, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Protect `app`. `clock` returns seconds."""
        self._app = app
        self._file = config
        self._clock = clock
        self._limit = RateLimitConfig()
        self._left = 0.0
        self._seen_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        limit = self._file.in_force_for(scope).rate_limit
        if limit.is_on and not self._takes_one(limit):
            later = {"Retry-After": str(math.ceil(limit.interval_seconds))}
            answer = PlainTextResponse("too many requests\n", 429, later)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _takes_one(self, limit: RateLimitConfig) -> bool:
        now = self._clock()
        if limit != self._limit:  # at the start, or changed since
            self._limit, self._left = limit, float(limit.burst)
        else:
            gained = (now - self._seen_at) / limit.interval_seconds
            self._left = min(self._left + gained, float(limit.burst))
        self._seen_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
