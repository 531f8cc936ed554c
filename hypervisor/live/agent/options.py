"""Reads the command line of an agent."""

import argparse
import re
from typing import List, NamedTuple, NoReturn, Optional, Sequence, Tuple

from hypervisor.live.agent.limits import (
    DEFAULT_SAMPLE_HZ,
    LEAST_PERIOD_SECONDS,
    MOST_PERIOD_SECONDS,
    MOST_SAMPLE_HZ,
)
from hypervisor.live.agent.pages.routes import OWN_PATHS
from hypervisor.live.agent.web.listening import Address, parse

PROGRAM = "xenprof-agent"
DEFAULT_ADDRESS = "127.0.0.1:10032"

SERVE, CHECK, ONCE, PIPE = "serve", "check", "once", "pipe"

_MOST_SECONDS = 366 * 86400.0
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[\w.~!$&'()*+,;=:@-]+)+", re.ASCII)


class Options(NamedTuple):
    """What is wanted."""

    do: str = SERVE
    addresses: Tuple[Address, ...] = ()
    unix_socket: Optional[str] = None
    web_config: Optional[str] = None
    telemetry_path: str = "/metrics"
    period_seconds: float = 1.0
    sample_hz: int = DEFAULT_SAMPLE_HZ
    is_traced: bool = False


class Parser(argparse.ArgumentParser):
    """Reads a command line, and tells a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        """End with one line on stderr."""
        line = " ".join(message.split())
        self.exit(2, f"{self.prog}: {line}; see --help\n")


def parse_options(arguments: Sequence[str], version: str, program: str = PROGRAM) -> Options:
    """Return what a command line wants. Ends the program for --help, --version and mistakes."""
    given = _parser(version, program).parse_args(list(arguments))
    addresses: List[Address] = given.addresses or []
    if not addresses and not given.unix_socket:
        addresses = [parse(DEFAULT_ADDRESS)]
    return Options(
        do=given.do or SERVE,
        addresses=tuple(addresses),
        unix_socket=given.unix_socket,
        web_config=given.web_config,
        telemetry_path=given.telemetry_path,
        period_seconds=given.period_seconds,
        sample_hz=given.sample_hz,
        is_traced=given.is_traced,
    )


def _parser(version: str, program: str) -> argparse.ArgumentParser:
    parser = Parser(
        prog=program,
        description="Serve what a Xen host is doing, from its domain 0.",
        epilog="Into files, for a while: trace|contexts|xenoprof FILE; see --help behind these.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--web.listen-address",
        dest="addresses",
        action="append",
        type=_address,
        metavar="ADDRESS:PORT",
        help=f"may be repeated (default: {DEFAULT_ADDRESS}, or none with --web.unix-socket)",
    )
    add(
        "--web.unix-socket",
        dest="unix_socket",
        metavar="PATH",
        help="a socket that root alone may use",
    )
    add(
        "--web.config.file",
        dest="web_config",
        metavar="FILE",
        help="TLS and passwords, as Prometheus exporters take them",
    )
    add(
        "--web.telemetry-path",
        dest="telemetry_path",
        default="/metrics",
        type=_path,
        metavar="PATH",
        help="where Prometheus scrapes (default: %(default)s)",
    )
    add(
        "--period",
        dest="period_seconds",
        default=1.0,
        type=_period,
        metavar="SECONDS",
        help="the host is polled when somebody asks, once in so long (default: 1)",
    )
    add(
        "--trace",
        dest="is_traced",
        action="store_true",
        help="trace runstates all the time: exact ones, and histograms of waits; no other program "
        "can use the trace buffers then",
    )
    add(
        "--sample-hz",
        default=DEFAULT_SAMPLE_HZ,
        type=_hertz,
        metavar="N",
        help="look so often in a second which vcpus wait; 0: never (default: %(default)s)",
    )
    _add_instead(parser)
    add("--version", action="version", version=f"{program} {version}")
    return parser


def _add_instead(parser: argparse.ArgumentParser) -> None:
    """Add what is done instead of serving."""
    instead = parser.add_mutually_exclusive_group()
    for do, help_text in (
        (CHECK, "say what can be read here, and what cannot and why; then end"),
        (ONCE, "print one report as JSON, then end"),
        (PIPE, "print a report as a line of JSON for each line of the standard input"),
    ):
        instead.add_argument(f"--{do}", dest="do", action="store_const", const=do, help=help_text)


def _address(text: str) -> Address:
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _path(text: str) -> str:
    if not _PATH.fullmatch(text) or text in OWN_PATHS:
        raise argparse.ArgumentTypeError(f"{text!r} is no path, such as /metrics, or it is taken")
    return text


def _period(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not LEAST_PERIOD_SECONDS <= seconds <= MOST_PERIOD_SECONDS:
        bounds = f"{LEAST_PERIOD_SECONDS} to {MOST_PERIOD_SECONDS}"
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, {bounds}")
    return seconds


def whole_number(text: str, least: int, most: int) -> int:
    """Return a number as C writes it. Raises: ArgumentTypeError."""
    try:
        number = int(text, 0)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        bounds = f"{least} to {most:#x}" if most > 0xFFFF else f"{least} to {most}"
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number, {bounds}")
    return number


def seconds(text: str) -> float:
    """Return a time of a year at most. Raises: ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= _MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number of seconds")
    return number


def _hertz(text: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", text) or int(text) > MOST_SAMPLE_HZ:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 0 to {MOST_SAMPLE_HZ}")
    return int(text)
