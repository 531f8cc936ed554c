"""Answers requests: metrics, the report, whether the agent is well, and a page of links."""

import threading
import zlib
from typing import Callable, Dict, Optional, Tuple

from hypervisor.live.agent.oneline import one_line
from hypervisor.live.agent.pages.exposition import CONTENT_TYPE
from hypervisor.live.agent.pages.metrics import exposition
from hypervisor.live.agent.pages.shown import Shown
from hypervisor.live.agent.polling.readings import NotRead, Reading, Readings
from hypervisor.live.agent.report.fields import to_json
from hypervisor.live.agent.web.httphead import Answer, Request, accepts_gzip, refusal

REPORT = "/api/v1/report"
HEALTHY, READY = "/-/healthy", "/-/ready"
OWN_PATHS = ("/", REPORT, HEALTHY, READY)

_GZIP = 31  # bits of the window, and a head and checksum of gzip
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>xenprof agent</title></head>
<body><p>xenprof agent: <a href="{}">metrics</a>, <a href="{}">report</a></p></body></html>
"""
_HTML_HEADERS = (("Content-Security-Policy", "default-src 'none'"), ("X-Frame-Options", "deny"))


class Pages:
    """Answers requests from memory. What was made of a reading is kept until there is another."""

    def __init__(self, readings: Readings, telemetry_path: str, version: str) -> None:
        """`telemetry_path` is where the metrics are."""
        self._readings = readings
        self._exposition = exposition(version)
        self._lock = threading.Lock()
        self._of: Optional[Reading] = None
        self._made: Dict[Tuple[str, bool], bytes] = {}
        self._pages: Dict[str, Callable[[Request], Answer]] = {
            telemetry_path: self._metrics,
            REPORT: self._report,
            HEALTHY: lambda _: Answer(200, body=b"healthy\n"),
            READY: self._ready,
            "/": lambda _: self._links(telemetry_path),
        }

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request."""
        page = self._pages.get(request.path)
        if page is None:
            return refusal(404)
        if request.method not in ("GET", "HEAD"):
            return refusal(405, ("Allow", "GET, HEAD"))
        try:
            return page(request)
        except NotRead:
            return refusal(503, ("Retry-After", "5"))

    def _metrics(self, request: Request) -> Answer:
        reading = self._readings.latest()  # which says itself whether it is fresh
        return self._kept(request, reading, CONTENT_TYPE, self._exposed)

    def _report(self, request: Request) -> Answer:
        return self._kept(request, self._readings.fresh(), "application/json", _reported)

    def _ready(self, _: Request) -> Answer:
        self._readings.fresh()
        return Answer(200, body=b"ready\n")

    def _links(self, telemetry_path: str) -> Answer:
        body = _PAGE.format(telemetry_path, REPORT).encode()
        return Answer(200, "text/html; charset=utf-8", body, _HTML_HEADERS)

    def _exposed(self, reading: Reading) -> bytes:
        return self._exposition.page(one_line(reading.report.host), Shown(reading))

    def _kept(
        self,
        request: Request,
        reading: Reading,
        content_type: str,
        make: Callable[[Reading], bytes],
    ) -> Answer:
        """Return an answer, which is made once of each reading."""
        is_zipped = accepts_gzip(request)
        headers: Tuple[Tuple[str, str], ...] = (("Vary", "Accept-Encoding"),)
        with self._lock:
            if reading is not self._of:
                self._of = reading
                self._made.clear()
            plain = self._made.get((content_type, False))
            if plain is None:
                plain = self._made[content_type, False] = make(reading)
            body = plain
            if is_zipped:
                headers += (("Content-Encoding", "gzip"),)
                packed = self._made.get((content_type, True))
                if packed is None:
                    packed = self._made[content_type, True] = _packed(plain)
                body = packed
        return Answer(200, content_type, body, headers)


def _reported(reading: Reading) -> bytes:
    return to_json(reading.report).encode("ascii") + b"\n"


def _packed(plain: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    return packer.compress(plain) + packer.flush()
