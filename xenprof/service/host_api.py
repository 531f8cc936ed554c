"""The control API's routes for the host as a whole: what it tells, and domains made anew."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hypervisor.control import Nested
from hypervisor.host import Host, toolstack_of
from xenprof.service.arguments import Arguments
from xenprof.service.commands import Command
from xenprof.service.http import Changing, Endpoint, body_of, done, to_json_response
from xenprof.service.service import Service

_CONFIG_TAKES = ("config_text", "config_name", "overrides", "is_sxp")


def host_routes(service: Service, changing: Changing) -> list[Route]:
    """Return the routes."""

    async def snapshot(request: Request) -> Response:
        return to_json_response(service.snapshot())

    async def info(request: Request) -> Response:
        rows = service.submit(lambda host: toolstack_of(host).views.info())
        return JSONResponse(dict(await done(rows)))

    async def dmesg(request: Request) -> Response:
        text = service.submit(lambda host: toolstack_of(host).xen_console.text())
        return JSONResponse({"text": await done(text)})

    async def xenstore(request: Request) -> Response:
        entries = await done(service.submit(lambda host: toolstack_of(host).views.xenstore()))
        return JSONResponse({"entries": entries})

    async def managed(request: Request) -> Response:
        found = await done(service.submit(lambda host: toolstack_of(host).managed.inactive()))
        return JSONResponse({"domains": list(found)})

    async def config(request: Request) -> Response:
        given = Arguments("config", await body_of(request), _CONFIG_TAKES)
        text, name = given.text("config_text"), given.text("config_name")
        overrides, is_sxp = given.mapping("overrides") or {}, given.flag("is_sxp")

        def describe(host: Host) -> Nested:
            return toolstack_of(host).domains.describe(text, name, overrides, is_sxp=is_sxp)

        return JSONResponse({"sxp": await done(service.submit(describe))})

    return [
        Route("/api/v1/snapshot", snapshot),
        Route("/api/v1/info", info),
        Route("/api/v1/dmesg", dmesg),
        Route("/api/v1/xenstore", xenstore),
        Route("/api/v1/managed", managed, methods=["GET"]),
        # Reads, but of a body; and it parses what strangers send: not for them either.
        changing("/api/v1/config", config),
        changing("/api/v1/domains", command(service, "create")),
        changing("/api/v1/managed", command(service, "new")),
        changing("/api/v1/restore", command(service, "restore")),
        changing("/api/v1/dmesg/clear", command(service, "clear-dmesg")),
        changing("/api/v1/debug-keys", command(service, "debug-keys")),
    ]


def command(service: Service, name: str) -> Endpoint:
    """Return what performs a command that concerns no domain yet."""

    async def perform(request: Request) -> Response:
        body = await body_of(request)
        return JSONResponse(await done(service.perform(Command(name, None, body))))

    return perform
