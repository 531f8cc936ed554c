"""The control API's routes for the host as a whole: its state, and new domains."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hypervisor.host import Host, asked_toolstack_of, toolstack_of
from hypervisor.telemetry import HostSnapshot
from xenprof.errors import XenprofError
from xenprof.service.arguments import request_of
from xenprof.service.callers_files import CallersFiles
from xenprof.service.commands import Command
from xenprof.service.hostrows import told_rows
from xenprof.service.http import Changing, Endpoint, RecordResponse, body_of, done
from xenprof.service.service import Service
from xenprof.wire import host_requests as ask
from xenprof.wire.answers import (
    ManagedDomains,
    ServedHost,
    ServedHosts,
    Store,
    SxpAnswer,
    Text,
)
from xenprof.wire.requests import Request as WireRequest

_LONGEST_SHOWN = 60
_COMMANDS = (ask.Create, ask.New, ask.Restore, ask.ClearDmesg, ask.DebugKeys)


class UnknownHost(XenprofError):
    """Says that the service reads no host of this name."""

    http_status = 404


def host_routes(
    service: Service, changing: Changing, files: CallersFiles, *, hides_reasons: bool
) -> list[Route]:
    """Return the routes. `hides_reasons`: why a host cannot be read may name this machine's files.

    So it is not for strangers.
    """

    async def hosts(request: Request) -> Response:
        """The hosts of this service; commands are for the first one."""
        found = (ServedHost(one.host, one.is_up, len(one.domains)) for one in service.snapshots())
        return RecordResponse(ServedHosts(tuple(found)))

    async def snapshot(request: Request) -> Response:
        """The host at the last second: a HostSnapshot; `?host=NAME` for another host."""
        found = _named(service, request.query_params.get("host"))
        if hides_reasons and found.unread_because:
            found = replace(found, unread_because=None)
        return Response(await service.snapshot_texts.text(found), media_type="application/json")

    async def info(request: Request) -> Response:
        """The rows of `xm info`."""
        rows = await done(service.submit(_info))
        return RecordResponse(rows)

    async def dmesg(request: Request) -> Response:
        """The hypervisor's message ring."""
        text = service.submit(lambda host: asked_toolstack_of(host).xen_console.text())
        return RecordResponse(Text(await done(text)))

    async def xenstore(request: Request) -> Response:
        """The nodes of the host's store."""
        told = service.submit(lambda host: asked_toolstack_of(host).views.xenstore())
        entries = await done(told)
        # Encoded beside the web servers: with 1000 domains it is 5 MB.
        return await asyncio.to_thread(RecordResponse, Store(tuple(entries)))

    async def managed(request: Request) -> Response:
        """The domains that are stored and do not run."""
        found = await done(service.submit(lambda host: toolstack_of(host).managed.inactive()))
        return RecordResponse(ManagedDomains(tuple(found)))

    async def config(request: Request) -> Response:
        asked = request_of(ask.Describe, await body_of(request))
        text, name, overrides = asked.config_text, asked.config_name, asked.overrides or {}

        def describe(host: Host) -> SxpAnswer:
            domains = toolstack_of(host).domains
            return SxpAnswer(domains.describe(text, name, overrides, is_sxp=asked.is_sxp))

        return RecordResponse(await done(service.submit(describe)))

    return [
        Route("/api/v1/hosts", hosts),
        Route("/api/v1/snapshot", snapshot),
        Route("/api/v1/info", info),
        Route("/api/v1/dmesg", dmesg),
        Route("/api/v1/xenstore", xenstore),
        Route("/api/v1/managed", managed, methods=["GET"]),
        # It only reads, but it parses a body from outside, so it counts as a change.
        changing(ask.Describe.route, config),
        *(changing(kind.route, command(service, kind, files)) for kind in _COMMANDS),
    ]


def _named(service: Service, name: str | None) -> HostSnapshot:
    """Return the state of the host of this name, the first without one. Raises: UnknownHost."""
    for one in service.snapshots():
        if name is None or one.host == name:
            return one
    raise UnknownHost(f"this service reads no host {repr(name)[:_LONGEST_SHOWN]}")


def _info(host: Host) -> Mapping[str, str]:
    """Return the rows of `xm info`: of a host without a toolstack those that its state tells."""
    if host.toolstack is not None:
        return host.toolstack.views.info()
    return told_rows(host.telemetry.snapshot())


def command(service: Service, kind: type[WireRequest], files: CallersFiles) -> Endpoint:
    """Return the endpoint of a command without a domain."""

    async def perform(request: Request) -> Response:
        asked = files.placed(Command(kind.command, None, await body_of(request)))
        return RecordResponse(await done(service.perform(asked)))

    return perform
