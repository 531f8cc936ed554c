"""Runs the service: lock, sockets, two web servers, signals, and a graceful stop in order."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from hypervisor.host import Host
from hypervisor.telemetry import HostSnapshot
from xenprof.client import SOCKET_NAME
from xenprof.disk import Disk
from xenprof.errors import StoreError
from xenprof.history.figures import HistorySettings
from xenprof.service.app import create_app, surrounded
from xenprof.service.connection import Connection
from xenprof.service.continuous import ProfilingSettings
from xenprof.service.discovery import Places
from xenprof.service.door import Door
from xenprof.service.exporter import ExporterSettings
from xenprof.service.garbage import settle
from xenprof.service.home_lock import (
    HomeLock,
    listen_on_address,
    listen_on_control_socket,
)
from xenprof.service.hostnames import AllowedHosts
from xenprof.service.limits import Patience, limits
from xenprof.service.loading import Loaders, installed
from xenprof.service.own_home import CannotServe, private_files
from xenprof.service.reach import Reach, reach
from xenprof.service.service import Service
from xenprof.service.systemd import Supervisor

if TYPE_CHECKING:
    from xenprof.service.certificates import Certificates
    from xenprof.service.webconfig import WebConfigFile

log = logging.getLogger(__name__)

_GIL_SWITCH_SECONDS = 0.001  # the model computes all the time; a scrape must not wait for it
_LAST_ANSWERS_SECONDS = 2
Listening = Callable[[Reach, Sequence[HostSnapshot]], None]
"""Is told who gets at a service that answers, and its hosts as they were read last."""
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """The settings of `xenprof serve`. `speed` None: as fast as possible."""

    home: Path
    address: str
    speed: float | None = 1.0
    strict: bool = False
    enable_dump: bool = False
    is_synced: bool = True  # what is answered as written is on the disk
    web_config: Path | None = None
    allowed_hosts: tuple[str, ...] = ()  # that requests over TCP may name, besides the address
    places: Places = field(default_factory=Places)  # where other services are found
    exporters: ExporterSettings = field(default_factory=ExporterSettings)
    history: HistorySettings | None = None  # None: no history is kept
    profiling: ProfilingSettings | None = None  # None: users profile, by opcontrol
    top_symbols: int = 0  # how many functions of each domain are metrics
    patience: Patience = field(default_factory=Patience)


def serve(
    settings: ServeSettings,
    build_hosts: Callable[[], Sequence[Host]],
    *,
    loaders: Loaders | None = None,
    listening: Listening = lambda reach, hosts: None,
) -> None:
    """Serve until a signal or a stop command; return after everything is written.

    The first host is the one that is driven, the others are watched with it.
    `listening` is called when requests are answered.
    Raises: CannotServe, WebConfigError, ScenarioError, before anything runs.
    """
    web_config = _web_config(settings.web_config)
    certificates = _certificates(web_config)
    with contextlib.ExitStack() as held:
        held.enter_context(private_files())
        lock = HomeLock(settings.home)
        last_words: list[str] = []
        held.callback(lambda: lock.release("".join(last_words)))
        held.callback((settings.home / SOCKET_NAME).unlink, missing_ok=True)
        listener = held.enter_context(listen_on_address(settings.address))
        allowed = _allowed_hosts(settings, listener)
        host, *others = build_hosts()
        control = held.enter_context(listen_on_control_socket(settings.home))
        with _told_in_a_line():
            service = Service(
                host,
                settings.home,
                speed=settings.speed,
                strict=settings.strict,
                enable_dump=settings.enable_dump,
                loaders=installed() if loaders is None else loaders,
                settings=settings.exporters,
                history=settings.history,
                profiling=settings.profiling,
                top_symbols=settings.top_symbols,
                disk=Disk(is_synced=settings.is_synced),
                others=others,
            )
        sys.setswitchinterval(_GIL_SWITCH_SECONDS)

        def tell(url: str, hosts: Sequence[HostSnapshot]) -> None:
            lock.note_url(url, settings.exporters.telemetry_path)
            listening(reach(listener, url, web_config), hosts)

        doors = _Doors(control, listener, certificates, settings.patience)
        try:
            asyncio.run(_serve(service, doors, allowed, web_config, settings.places, tell))
        except StoreError as error:
            last_words.append(str(error))
            raise


@contextlib.contextmanager
def _told_in_a_line() -> Iterator[None]:
    """Turn the error of a file into CannotServe, which names the file."""
    try:
        yield
    except OSError as error:
        raise CannotServe(f"{error.filename}: {error.strerror}") from None


def _web_config(file: Path | None) -> "WebConfigFile | None":
    if file is None:
        return None
    # Here, because what reads the file takes as long to import as all that serves.
    from xenprof.service.webconfig import WebConfigFile

    return WebConfigFile(file)


def _allowed_hosts(settings: ServeSettings, listener: socket.socket) -> AllowedHosts:
    """Return the hosts that requests may name: the one given, its address, and those listed."""
    given = settings.address.rpartition(":")[0]
    return AllowedHosts.of([given, listener.getsockname()[0]], settings.allowed_hosts)


@dataclass(frozen=True, slots=True)
class _Doors:
    """What is listened on, and how."""

    control: socket.socket
    tcp: socket.socket
    certificates: "Certificates | None"  # None: no TLS
    patience: Patience

    @property
    def url(self) -> str:
        """Return the address of TCP."""
        host, port = self.tcp.getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        return f"{'http' if self.certificates is None else 'https'}://{host}:{port}/"


class _Server(uvicorn.Server):
    """A web server that leaves signals to the service, which runs two servers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(
    service: Service,
    doors: _Doors,
    allowed: AllowedHosts,
    web_config: "WebConfigFile | None",
    places: Places,
    tell: Callable[[str, Sequence[HostSnapshot]], None],
) -> None:
    stop = asyncio.Event()
    supervisor = Supervisor.found()
    loop = asyncio.get_running_loop()
    for number in _ENDING_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves SIGHUP
            loop.add_signal_handler(number, stop.set)
    try:
        with _told_in_a_line():  # above all the roots of the domains, which are written now
            await asyncio.to_thread(service.start)
    except CannotServe:
        await asyncio.to_thread(service.close)
        raise
    settle()
    open_app = create_app(service, read_only=False, places=places, stop=stop)
    tcp_app = create_app(
        service,
        read_only=True,
        web_config=web_config,
        allowed_hosts=allowed,
        places=places,
        stop=stop,
    )
    servers = (
        _server(surrounded(open_app, service.counts, None)),
        _server(surrounded(tcp_app, service.counts, web_config)),
    )
    running = [asyncio.create_task(server.serve([])) for server in servers]
    stopping = asyncio.create_task(stop.wait())
    control_limits, tcp_limits = limits(doors.patience)
    try:
        async with (
            Door(doors.control, servers[0], control_limits).opened(),
            Door(doors.tcp, servers[1], tcp_limits, certificates=doors.certificates).opened(),
            supervisor.watching(lambda: service.snapshot().generation),
        ):
            tell(doors.url, service.snapshots())
            supervisor.tell("READY=1", f"STATUS=serving on {doors.url}")
            await asyncio.wait([stopping, *running], return_when=asyncio.FIRST_COMPLETED)
            supervisor.tell("STOPPING=1")
            log.info("stopping: writing what the sessions hold")
            # First the model, so that waiting clients get an answer; then the listeners.
            await asyncio.to_thread(service.close)
    finally:
        stopping.cancel()
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*running)


def _server(app: ASGIApp) -> _Server:
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        proxy_headers=False,  # limits go by the address that is connected, not by one in a header
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_LAST_ANSWERS_SECONDS,
    )
    config.load()
    return _Server(config)


def _certificates(web_config: "WebConfigFile | None") -> "Certificates | None":
    tls = web_config.current().tls_server_config if web_config else None
    if web_config is None or tls is None:
        return None
    from xenprof.service.certificates import Certificates  # as above

    return Certificates(web_config, tls)
