"""Shows the profiling sessions below HOME as a page, and has their reports made for who asks.

They are made one at a time, so that neither the host nor other requests wait for them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from xenprof.errors import XenprofError
from xenprof.report.sessions.places import sessions_below
from xenprof.service.hidden_home import HiddenHome
from xenprof.service.page import page_policy
from xenprof.service.reading import framed
from xenprof.service.reports import wanted_report

# What a report runs is in no origin, so that it gets at nothing of this service.
_SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of report: its link, and how browsers are to take it."""

    link: str
    content_type: str
    file: str = ""  # its name if it is to be saved


KINDS = {
    "flamegraph.html": _Kind("flame graph", "text/html; charset=utf-8"),
    "text": _Kind("report", "text/plain; charset=utf-8"),
    "json": _Kind("JSON", "application/json"),
    "folded": _Kind("folded", "text/plain; charset=utf-8", "profile.folded"),
    "pprof": _Kind("pprof", "application/octet-stream", "profile.pb.gz"),
}
"""The formats of `xenprof report` that are offered."""

_EMPTY = (
    "<p>There is no session with samples yet. <code>xenprof serve --profile EVENT:COUNT</code> "
    "profiles from the start, <code>opcontrol --start</code> when you like.</p>"
)
_NOTE = (
    "<p>Samples that a daemon has not written yet are missing; <code>opcontrol --dump</code> "
    "has it write them. The history of continuous profiling: <code>xenprof report --since</code>, "
    '<a href="api/v1/history">its slices</a>.</p>'
)


def profile_routes(home: Path, hidden: HiddenHome, stop: asyncio.Event) -> list[Route]:
    """Return the routes of the page and of the reports, which end when `stop` is set."""
    busy = asyncio.Semaphore(1)

    async def profiles(request: Request) -> Response:
        """The profiling sessions, as a page with links to their reports."""
        shown = _page(await asyncio.to_thread(sessions_below, home))
        return HTMLResponse(shown, headers={"Content-Security-Policy": page_policy(shown)})

    async def report(request: Request) -> Response:
        """A report of `session` (default current) in `format`, as `xenprof report` makes it."""
        name = request.query_params.get("session", "current")
        kind = KINDS.get(format := request.query_params.get("format", "text"))
        if kind is None:
            known = ", ".join(KINDS)
            return PlainTextResponse(f"format is one of {known}\n", status_code=400)
        if name not in await asyncio.to_thread(sessions_below, home):
            return PlainTextResponse("there is no session of that name\n", status_code=404)
        if busy.locked():
            wait = {"Retry-After": "5"}
            return PlainTextResponse("another report is being made\n", 503, headers=wait)
        try:
            async with busy:
                made = await wanted_report(request, stop, home, name, format)
        except XenprofError as error:
            return PlainTextResponse(f"{hidden.told(str(error))}\n", error.http_status)
        saved = {"Content-Disposition": f'attachment; filename="{kind.file}"'} if kind.file else {}
        headers = {"Content-Security-Policy": _SANDBOX, "X-Content-Type-Options": "nosniff"}
        return Response(made, headers={**headers, **saved, "Content-Type": kind.content_type})

    return [Route("/profiles", profiles), Route("/profiles/report", report)]


def _page(sessions: dict[str, Sequence[str]]) -> str:
    rows = "\n".join(_row(name, domains) for name, domains in sessions.items())
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Session", "Domains", "Reports"))
    table = f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    return framed("Profiles", "./", f"<h1>Profiles</h1>\n{table if rows else _EMPTY}\n{_NOTE}")


def _row(name: str, domains: Sequence[str]) -> str:
    links = " ".join(
        f'<a href="profiles/report?{escape(urlencode({"session": name, "format": format}))}">'
        f"{escape(kind.link)}</a>"
        for format, kind in KINDS.items()
    )
    return (
        f'<tr><td data-head="Session">{escape(name)}</td>'
        f'<td data-head="Domains">{escape(", ".join(domains))}</td>'
        f'<td data-head="Reports">{links}</td></tr>'
    )
