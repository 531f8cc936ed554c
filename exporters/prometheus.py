"""Serves `/metrics`, which a Prometheus server scrapes."""

import asyncio
import math
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exporters.scrape.negotiation import TEXT, content_type
from exporters.scrape.renderings import Form, Renderings
from exporters.scrape.wanted import wanted
from xenprof.errors import XenprofError
from xenprof.service.counts import Counted
from xenprof.service.exporter import CollectorStats, ExporterSettings, SnapshotSource
from xenprof.service.negotiation import accepts_gzip

TIMEOUT_HEADER = "x-prometheus-scrape-timeout-seconds"
_SHARE_OF_TIMEOUT = 0.95  # what is left is for the way; judgement


def create(source: SnapshotSource, settings: ExporterSettings) -> "PrometheusExporter":
    """Return the exporter (entry point of `xenprof.exporters`)."""
    return PrometheusExporter(source, settings.telemetry_path)


class PrometheusExporter:
    """Serves one route, on request only."""

    def __init__(self, source: SnapshotSource, path: str) -> None:
        self._renderings = Renderings(source)
        self._counts = source.counts
        self.routes: Sequence[Route] = (Route(path, self._scrape),)
        self.last_run: CollectorStats | None = None  # scrapes are runs of the scraper

    def start(self) -> None:
        """Do nothing: it works on request."""

    def close(self) -> None:
        """End the thread that renders."""
        self._renderings.close()

    async def _scrape(self, request: Request) -> Response:
        """All metrics, as text for Prometheus or as OpenMetrics."""
        try:
            answer = await self._answer(request)
        except XenprofError as error:
            return PlainTextResponse(f"{error}\n", error.http_status)
        except TimeoutError:
            self._counts.add(Counted.SCRAPE_TIMEOUTS)
            limit = request.headers[TIMEOUT_HEADER][:20]
            text = f"no scrape within {limit} s, the scraper's own limit\n"
            return PlainTextResponse(text, 503)
        return answer

    async def _answer(self, request: Request) -> Response:
        chosen = content_type(", ".join(request.headers.getlist("accept")))
        zipped = accepts_gzip(", ".join(request.headers.getlist("accept-encoding")))
        form = Form(chosen != TEXT, zipped, wanted(request.query_params.multi_items()))
        body = asyncio.wrap_future(self._renderings.body(form))
        # Others may wait for it too, so it goes on without whoever cannot.
        done = await asyncio.wait_for(asyncio.shield(body), _limit(request))
        self._counts.add(Counted.SCRAPES, "text" if chosen == TEXT else "openmetrics")
        self._counts.add(Counted.SCRAPE_BYTES, "gzip" if zipped else "identity", by=len(done))
        headers = {"Content-Type": chosen, "Vary": "Accept, Accept-Encoding"}
        if zipped:
            headers["Content-Encoding"] = "gzip"
        return Response(done, headers=headers)


def _limit(request: Request) -> float | None:
    """Return how many seconds an answer may take; None where the scraper does not say."""
    try:
        seconds = float(request.headers.get(TIMEOUT_HEADER, ""))
    except ValueError:
        return None
    return _SHARE_OF_TIMEOUT * seconds if math.isfinite(seconds) and seconds > 0 else None
