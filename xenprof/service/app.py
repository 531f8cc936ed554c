"""Makes the web application of a listener: API, health, exporters' routes and the page."""

import asyncio
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from xenprof.service.api import api_routes
from xenprof.service.bodies import BodyLimit
from xenprof.service.counting import Counting
from xenprof.service.counts import Counts
from xenprof.service.discovery import Places
from xenprof.service.discovery_api import discovery_routes
from xenprof.service.failures import Failures
from xenprof.service.hidden_home import HiddenHome
from xenprof.service.hostnames import AllowedHosts, HostCheck
from xenprof.service.negotiation import wants_page
from xenprof.service.page import page_policy, page_text
from xenprof.service.profiles_page import profile_routes
from xenprof.service.reading import page_of
from xenprof.service.service import Service

if TYPE_CHECKING:
    from xenprof.service.webconfig import WebConfigFile


def create_app(
    service: Service,
    *,
    read_only: bool,
    web_config: "WebConfigFile | None" = None,
    allowed_hosts: AllowedHosts | None = None,
    places: Places | None = None,
    stop: asyncio.Event | None = None,
) -> Starlette:
    """Return the application. `web_config` asks for its users' passwords.

    With `read_only`, only those may change something whom `web_config` knows when they ask.
    `allowed_hosts` are those that requests may name; None for the control socket, where no name
    matters and places on this machine are told in full. `places` are where other services are
    found. `stop` is set by a stop command, and ends what must not outlive the service.
    """
    page = page_text(service.settings.telemetry_path, service.settings.page_links)
    page_headers = {"Content-Security-Policy": page_policy(page)}

    async def index(request: Request) -> Response:
        """The page of this host."""
        return HTMLResponse(page, headers=page_headers)

    async def reference(request: Request) -> Response:
        """This list, as a page for browsers, else in Markdown."""
        from xenprof.service.apidoc import markdown  # the records of all requests, rarely asked for

        text = markdown(request.app)
        if not wants_page(request.headers.get("accept", "")):
            return PlainTextResponse(text, headers={"Vary": "Accept"})
        shown = page_of(text, "../")
        policy = {"Content-Security-Policy": page_policy(shown), "Vary": "Accept"}
        return HTMLResponse(shown, headers=policy)

    async def healthy(request: Request) -> Response:
        """Whether the service answers: always 200."""
        return PlainTextResponse("xenprof is healthy\n")

    async def ready(request: Request) -> Response:
        """Whether the model runs: 200 or 503."""
        if service.is_ready:
            return PlainTextResponse("xenprof is ready\n")
        return PlainTextResponse("the model does not run\n", status_code=503)

    stop = stop or asyncio.Event()
    hidden = HiddenHome(None if allowed_hosts is None else service.home)
    return Starlette(
        routes=[
            Route("/", index),
            Route("/docs/api", reference),
            Route("/-/healthy", healthy),
            Route("/-/ready", ready),
            *api_routes(service, hidden, read_only=read_only, stop=stop.set),
            *profile_routes(service.home, hidden, stop),
            *discovery_routes(places or Places(), service.settings.telemetry_path),
            *service.exporters.routes,
        ],
        middleware=_middleware(web_config, allowed_hosts),
        exception_handlers=Failures(hidden).handlers,
    )


def surrounded(app: Starlette, counts: Counts, web_config: "WebConfigFile | None") -> ASGIApp:
    """Return the application within what sees each answer, those to bugs and refusals too."""
    if web_config is None:
        return Counting(app, counts)
    from xenprof.service.response_headers import ResponseHeaders  # as in `server`

    return Counting(ResponseHeaders(app, web_config), counts)


def _middleware(
    web_config: "WebConfigFile | None", allowed_hosts: AllowedHosts | None
) -> list[Middleware]:
    """Return what each request passes through, the first one first."""
    layers = []
    if allowed_hosts is not None:
        layers.append(Middleware(HostCheck, allowed=allowed_hosts))
    if web_config is not None:
        from xenprof.service.basic_auth import BasicAuth  # as in `server`, only with a file
        from xenprof.service.rate_limit import RateLimit

        layers.append(Middleware(RateLimit, config=web_config))
        layers.append(Middleware(BasicAuth, config=web_config))
    layers.append(Middleware(BodyLimit))
    return layers
