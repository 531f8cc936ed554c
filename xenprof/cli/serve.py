"""`xenprof serve`: the service, in the foreground or in the background."""

import logging
import math
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from xenprof.cli.durations import Duration
from xenprof.cli.heap import lasting
from xenprof.cli.options import (
    RealNumber,
    WholeNumber,
    callgraph_option,
    home_at,
    state_dir_option,
)
from xenprof.cli.pagelinks import page_links
from xenprof.cli.realhosts import RealHosts, real_host_options, started
from xenprof.cli.sizes import Size
from xenprof.cli.telling import Tell, tell_user
from xenprof.cli.weburls import telemetry_path, web_address
from xenprof.errors import UsageError

if TYPE_CHECKING:
    from hypervisor.host import Host
    from xenprof.history.figures import HistorySettings

DEFAULT_ADDRESS = "127.0.0.1:10031"
_ABOUT_STARTING = ("state_dir", "background", "log_file")
_MOST_TOP_SYMBOLS = 100  # of each domain; judgement
_SHORTEST_SLICE_NS = 10**9  # each slice ends with a dump of every daemon; judgement


class Speed(click.ParamType[float]):
    """A factor above 0, or `max`, which is converted to infinity."""

    name = "X"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the factor."""
        if value == "max":
            return math.inf
        try:
            speed = float(value)
        except ValueError:
            speed = 0.0
        if not 0 < speed < math.inf:
            self.fail(f"{value!r} is neither a number above 0 nor 'max'", param, ctx)
        return speed


def _hosts(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    if values:
        from xenprof.service.hostnames import host_name

        try:
            for value in values:
                host_name(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    return values


@click.command("serve")
@click.option("--scenario", default="grumble", show_default=True, help="Name, or a TOML file.")
@real_host_options
@click.option(
    "--speed",
    type=Speed(),
    default=1.0,
    show_default=True,
    help="Virtual seconds per second; max: as fast as it can.",
)
@click.option(
    "--web.listen-address",
    "address",
    default=DEFAULT_ADDRESS,
    show_default=True,
    metavar="HOST:PORT",
    help="Read-only unless the web config has authentication.",
)
@click.option(
    "--web.allowed-host",
    "allowed_hosts",
    multiple=True,
    callback=_hosts,
    metavar="NAME",
    help="A name that requests may give this host, besides its address and localhost; repeatable.",
)
@click.option(
    "--web.config.file",
    "web_config",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TLS, headers and passwords, as Prometheus exporters take it.",
)
@click.option(
    "--web.telemetry-path",
    "telemetry_path",
    callback=telemetry_path,
    default="/metrics",
    show_default=True,
    metavar="PATH",
    help="Where Prometheus scrapes.",
)
@click.option(
    "--web.page-link",
    "links",
    multiple=True,
    callback=page_links,
    metavar="NAME=URL",
    help="A link on the page at /, Dashboards=http://grafana:3000/ for example; repeatable.",
)
@click.option(
    "--sd.homes",
    "sd_homes",
    multiple=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Tell Prometheus at /api/v1/sd of services on a HOME or in a folder of some; repeatable.",
)
@click.option(
    "--sd.list",
    "sd_lists",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="As well of those in this file, HOST:PORT or a URL in each line; repeatable.",
)
@click.option(
    "--otlp-endpoint",
    metavar="URL",
    callback=web_address,
    help="Push metrics, logs and traces there by OTLP; OTEL_ variables say more.",
)
@click.option(
    "--otlp-protocol",
    type=click.Choice(["http/protobuf", "grpc"]),
    help="[default: OTEL_EXPORTER_OTLP_PROTOCOL, or http/protobuf]",
)
@click.option(
    "--otlp-interval",
    "otlp_interval_seconds",
    type=RealNumber(min=0.1, max=86_400),
    metavar="SECONDS",
    help="Time between pushes of metrics.  [default: OTEL_METRIC_EXPORT_INTERVAL, or 15]",
)
@state_dir_option
@click.option(
    "--strict-xenoprof",
    "strict",
    is_flag=True,
    help="Refuse what real Xenoprof refuses, where we would go on with a notice.",
)
@click.option(
    "--no-support-limits",
    is_flag=True,
    help="Let domains be larger, or of other kinds, than RHEL 5 supports.",
)
@click.option(
    "--dom0-min-mem",
    "domain0_minimum_mib",
    type=WholeNumber(min=0),
    default=256,
    show_default=True,
    metavar="MIB",
    help="Domain 0 keeps this much when it gives memory to new domains; 0: it gives none.",
)
@click.option(
    "--profile",
    "events",
    multiple=True,
    metavar="EVENT:COUNT[:MASK[:KERNEL[:USER]]]",
    help="Profile from the start, without opcontrol.  May be repeated.",
)
@click.option(
    "--active",
    metavar="all|LIST",
    help="Domains that take part in --profile, also those that come later.  [default: 0]",
)
@click.option(
    "--passive", metavar="all|LIST", help="Domains that are sampled without taking part in it."
)
@callgraph_option
@click.option(
    "--top-symbols",
    type=WholeNumber(0, _MOST_TOP_SYMBOLS),
    default=0,
    metavar="N",
    help="Metrics for the N functions of each domain with most samples.",
)
@click.option(
    "--history",
    "history_period",
    type=Duration(),
    help="Keep a rolling history of what is sampled, in slices of so long, such as 10s.",
)
@click.option(
    "--history-retention",
    type=Duration(),
    default="1h",
    show_default=True,
    help="Slices that ended earlier are removed.",
)
@click.option(
    "--history-size",
    type=Size(),
    default="200MB",
    show_default=True,
    help="Beyond it the oldest slices are removed.",
)
@click.option(
    "--push-url", metavar="URL", callback=web_address, help="Send slices to a Pyroscope server too."
)
@click.option(
    "--push-otlp",
    metavar="URL",
    callback=web_address,
    help="Send slices to a receiver of OTLP profiles too.",
)
@click.option("--enable-dump", is_flag=True, help="Write a core file of each domain that crashes.")
@click.option(
    "--no-fsync",
    is_flag=True,
    help="Do not wait for the disk when samples are written: a power loss may lose a session.",
)
@click.option("--background", is_flag=True, help="Return when the service is ready.")
@click.option(
    "--log-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where it logs in the background.  [default: HOME/serve.log]",
)
def command(
    scenario: str,
    speed: float,
    address: str,
    allowed_hosts: tuple[str, ...],
    web_config: Path | None,
    telemetry_path: str,
    links: Mapping[str, str],
    sd_homes: tuple[Path, ...],
    sd_lists: tuple[Path, ...],
    otlp_endpoint: str | None,
    otlp_protocol: Any,
    otlp_interval_seconds: float | None,
    state_dir: Path | None,
    strict: bool,
    no_support_limits: bool,
    domain0_minimum_mib: int,
    events: tuple[str, ...],
    active: str | None,
    passive: str | None,
    depth: int,
    top_symbols: int,
    history_period: int | None,
    history_retention: int,
    history_size: int,
    push_url: str | None,
    push_otlp: str | None,
    enable_dump: bool,
    no_fsync: bool,
    background: bool,
    log_file: Path | None,
    real: RealHosts | None,
) -> int:
    """Run the service: the model or real hosts, control socket, exporters and web page."""
    chosen_home = home_at(state_dir)
    history = _history(history_period, history_retention, history_size, push_url, push_otlp)
    if (active or passive or depth) and not events:
        raise UsageError("--active, --passive and --callgraph say how to --profile; which event?")
    with lasting():
        from xenprof.service.continuous import ProfilingSettings
        from xenprof.service.discovery import Places
        from xenprof.service.exporter import ExporterSettings
        from xenprof.service.server import ServeSettings

    settings = ServeSettings(
        home=chosen_home,
        address=address,
        speed=None if math.isinf(speed) else speed,
        strict=strict,
        enable_dump=enable_dump,
        is_synced=not no_fsync,
        web_config=web_config,
        allowed_hosts=allowed_hosts,
        places=Places(sd_homes, sd_lists),
        exporters=ExporterSettings(
            otlp_endpoint=otlp_endpoint,
            otlp_protocol=otlp_protocol,
            otlp_interval_seconds=otlp_interval_seconds,
            otlp_profiles=push_otlp,
            telemetry_path=telemetry_path,
            page_links=links,
        ),
        history=history,
        profiling=ProfilingSettings(events, active or "0", passive, depth) if events else None,
        top_symbols=top_symbols,
    )

    def model() -> "Host":
        with lasting():
            from xenprof.service.driver import build_host

            return build_host(
                scenario,
                support_limits=not no_support_limits,
                domain0_minimum_mib=domain0_minimum_mib,
            )

    def run(tell: Tell) -> None:
        from xenprof.service.server import serve

        _log_to_stderr()
        shown = scenario if real is None else real.shown
        with ExitStack() as held:
            serve(
                settings,
                (lambda: [model()]) if real is None else partial(held.enter_context, real.opened()),
                listening=lambda at, read: tell(*started(shown, at, read)),
            )

    if background:
        return _in_background(run, chosen_home, log_file)
    run(tell_user)
    return 0


def _log_to_stderr() -> None:
    from xenprof.service.sparing_log import SparingHandler

    log = logging.StreamHandler()
    log.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[SparingHandler(log)])
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def _in_background(run: Callable[[Tell], None], home: Path, log_file: Path | None) -> int:
    """Start the service and return when it is ready, or say that one runs already."""
    from xenprof.cli.background import own_log, run_in_background
    from xenprof.service.home_lock import current_holder

    holder = current_holder(home)
    if not holder:
        return run_in_background(run, log_file or own_log(home))
    served = f"{home} is already served by process {holder}"
    if ignored := _given_options():
        raise UsageError(f"{served}; for {', '.join(ignored)} stop it first with: xenprof stop")
    print(f"xenprof: {served}")
    return 0


def _given_options() -> list[str]:
    """Return the options on the command line that only a service that starts can follow."""
    context = click.get_current_context()
    return [
        option.opts[0]
        for option in context.command.params
        if option.name not in _ABOUT_STARTING
        and context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
    ]


def _history(
    period_ns: int | None,
    retention_ns: int,
    max_bytes: int,
    push_url: str | None,
    push_otlp: str | None,
) -> "HistorySettings | None":
    """Return the history to keep; None if none is wanted. Raises: UsageError."""
    if period_ns is None:
        for option, url in (("--push-url", push_url), ("--push-otlp", push_otlp)):
            if url is not None:
                raise UsageError(f"{option} sends slices of the history: give --history 10s too")
        return None
    if period_ns < _SHORTEST_SLICE_NS:
        raise UsageError("--history: a slice is at least 1s")
    from xenprof.history.figures import HistorySettings
    from xenprof.history.push import Address

    for url in (push_url, push_otlp):
        if url is not None:
            Address.parse(url)
    return HistorySettings(period_ns, retention_ns, max_bytes, push_url, push_otlp)
