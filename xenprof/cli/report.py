"""`xenprof report`: shows where the time of all domains went, in today's formats."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, cast

import click

from xenprof.cli.options import RealNumber, WholeNumber, home_at, state_dir_option
from xenprof.cli.stdout import reader_may_leave
from xenprof.errors import UsageError, XenprofError
from xenprof.report.formats import FORMATS, Format, load

if TYPE_CHECKING:
    from xenprof.profile.stacks import StackProfile
    from xenprof.report.formats.request import Request
    from xenprof.report.sessions.places import Place

_PATIENCE_SECONDS = 10
_JOINED = ("cause", "place")
_TREES = ("top-down", "bottom-up")
_FORMAT_HELP = "; ".join(f"{name}: {format.help}" for name, format in FORMATS.items())


class NothingToReport(XenprofError):
    """There are no samples to report on."""


def _fields(_: click.Context, __: click.Parameter, by: str | None) -> str | None:
    if by is not None:
        from xenprof.report.views.table import FIELDS, fields_of

        if fields_of(by) is None:
            known = ", ".join(FIELDS)
            raise click.BadParameter(f"{by!r} is none of {known}, or several joined by commas")
    return by


@click.command("report")
@click.option(
    "--domain",
    "domains",
    multiple=True,
    metavar="D",
    help="By name or id; may be repeated. Stacks that pass through it.  [default: all]",
)
@click.option("--session", metavar="NAME|PATH", help="A session's name, or where one is.")
@click.option(
    "--since", metavar="TIME", help="Of the history, from then on: 5m (ago), Unix or ISO."
)
@click.option("--until", metavar="TIME", help="Of the history, until then.  [default: now]")
@click.option(
    "--by",
    callback=_fields,
    metavar="FIELDS",
    help="What a row of a table is: domain, layer, image or symbol, or several of them joined by "
    "commas.  [default: symbol]",
)
@click.option("--tree", type=click.Choice(_TREES), help="Callers with what they called.")
@click.option(
    "--joined",
    type=click.Choice(_JOINED),
    help="Where a stack begins that one domain caused in another.  [default: cause]",
)
@click.option("--event", metavar="EVENT[:COUNT[:MASK]]", help="Of several events only this one.")
@click.option("--limit", type=WholeNumber(1), metavar="N", help="The first N rows.")
@click.option(
    "--threshold",
    type=RealNumber(0, 100),
    metavar="PERCENT",
    help="Rows with at least so much.",
)
@click.option(
    "--compare", metavar="NAME|PATH", help="Compare with an earlier session: what is noise?"
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help=_FORMAT_HELP,
)
@click.option("--trace", metavar="FILE", help="A recorded trace, for the format perfetto.")
@click.option(
    "--mhz",
    type=RealNumber(1, 100_000),
    help="Speed of the tsc in the trace.  [default: as its records tell, else 2400]",
)
@click.option("-o", "--output", metavar="FILE", help="Instead of standard output.")
@click.option(
    "-p",
    "--image-path",
    "image_path",
    multiple=True,
    metavar="DIR",
    help="Where images are searched too; may be repeated.",
)
@state_dir_option
def command(
    domains: tuple[str, ...],
    session: str | None,
    since: str | None,
    until: str | None,
    by: str | None,
    tree: str | None,
    joined: str | None,
    event: str | None,
    limit: int | None,
    threshold: float | None,
    compare: str | None,
    format_name: str,
    trace: str | None,
    mhz: float | None,
    output: str | None,
    image_path: tuple[str, ...],
    state_dir: Path | None,
) -> int:
    """Report the samples of all domains: by domain, layer, image or symbol, as text or a file.

    Every format tells which samples were lost; CSV and folded stacks do on standard error.
    Several events that tell something together get columns for it: cycles per instruction (CPI),
    misses per thousand instructions.
    """
    format = FORMATS[format_name]
    given = {
        "domain": domains, "session": session, "by": by, "tree": tree, "event": event,
        "limit": limit, "threshold": threshold, "compare": compare, "trace": trace, "mhz": mhz,
        "since": since, "until": until, "joined": joined,
    }  # fmt: skip
    _check(format_name, format, {name for name, value in given.items() if value})
    if format.is_binary and output is None and sys.stdout.isatty():
        raise UsageError(f"{format_name} is binary: give -o FILE, or pipe it to a program")
    base = home_at(state_dir)
    if format.shows == "trace":
        request = _trace_request(trace, mhz)
    else:
        reader = _Reader(base, domains, image_path, since, until)
        request = reader.request(session, compare, event, format_name)
        request = _shown(request, by or "symbol", tree, limit, threshold or 0.0)
        if joined == "place":
            request = _by_place(request)
        if not format.tells:
            _tell(request)
    _write(load(format_name)(request), output)
    return 0


def _check(name: str, format: Format, given: set[str]) -> None:
    """Refuse options that would have no effect. Raises: UsageError."""
    tables = [other for other, row in FORMATS.items() if row.shows == "tables"]
    comparing = [other for other, row in FORMATS.items() if row.can_compare]
    if format.shows == "trace":
        if "trace" not in given:
            raise UsageError(f"--format {name} shows a recorded trace: give --trace FILE")
        if rest := sorted(given - {"trace", "mhz"}):
            raise UsageError(f"--format {name} shows a trace: leave out --{rest[0]}")
    elif traced := sorted(given & {"trace", "mhz"}, reverse=True):
        raise UsageError(f"--{traced[0]} is for --format perfetto")
    for option in ("by", "tree", "limit", "threshold"):
        if option in given and format.shows != "tables":
            raise UsageError(f"--{option} is for the formats {', '.join(tables)}")
    if "session" in given and (times := sorted(given & {"since", "until"})):
        raise UsageError(f"--session and --{times[0]} do not go together: the history has no names")
    if "compare" in given:
        if not format.can_compare:
            raise UsageError(f"--compare is for the formats {', '.join(comparing)}")
        if "tree" in given:
            raise UsageError("--compare and --tree do not go together: use a flame graph")


class _Reader:
    """Reads sessions into requests; prints warnings and notes on standard error."""

    def __init__(
        self,
        home: Path,
        domains: tuple[str, ...],
        image_path: tuple[str, ...],
        since: str | None = None,
        until: str | None = None,
    ) -> None:
        self._home = home
        self._since = since
        self._until = until
        self._domains = domains
        self._image_path = image_path

    def request(
        self, session: str | None, compare: str | None, event: str | None, format_name: str
    ) -> "Request":
        """Return the request. Raises: UsageError, NothingToReport, UnknownDomain, StoreError."""
        from xenprof.report.formats.request import Request
        from xenprof.report.views.merge import only
        from xenprof.report.views.ratios import main_event
        from xenprof.store.sessiondir import CURRENT

        if self._since is not None or self._until is not None:
            profile, title = self._read_history()
        else:
            profile, title = self._read(session or CURRENT)
        columns = _columns(profile, event)
        main = columns[main_event([profile.types[column] for column in columns])]
        base, base_title = None, ""
        if compare is not None:
            columns = [main]
            base, base_title = self._read(compare)
            wanted = profile.types[main]
            if wanted not in base.types:
                counted = ", ".join(kind.text for kind in base.types)
                raise UsageError(f"{base_title} has no samples of {wanted.text}; it has {counted}")
            base = only(base, [base.types.index(wanted)])
        elif FORMATS[format_name].events == "one" and len(columns) > 1:
            _warn(f"note: {format_name} shows {profile.types[main].text}; choose with --event")
            columns = [main]
        profile = only(profile, columns)
        return Request(
            profile, event=columns.index(main), base=base, title=title, base_title=base_title
        )

    def _read(self, session: str) -> "tuple[StackProfile, str]":
        from xenprof.report.sessions.places import chosen_domains
        from xenprof.report.sessions.reading import read_place
        from xenprof.report.sessions.together import together

        place = self._place(session)
        domains = chosen_domains(self._home, place, self._domains)
        place, others = together(place, domains)
        if others:
            names = ", ".join(others)
            _warn(f"note: left out, as sampled at another time: {names} (--domain shows them)")
        profile = read_place(place, domains=domains, image_path=self._image_path, warn=_warning)
        return _titled(profile, place.title, domains)

    def _read_history(self) -> "tuple[StackProfile, str]":
        from xenprof.history.window import domains_in, read_window
        from xenprof.report.sessions.reading import passing

        now_unix_ns = _host_time(self._home)
        profile, title = read_window(self._home, self._since, self._until, now_unix_ns, _warning)
        domains = domains_in(self._home, profile, self._domains)
        return _titled(passing(profile, domains) if domains else profile, title, domains)

    def _place(self, session: str) -> "Place":
        from xenprof.report.sessions.places import named_session, place_at

        if "/" in session or session.startswith("."):
            return place_at(Path(session))
        try:
            return named_session(self._home, session)
        except UsageError as error:
            if not Path(session).is_dir():
                raise
            raise UsageError(f"{error}; for the directory here write ./{session}") from None


def _titled(
    profile: "StackProfile", title: str, domains: frozenset[str]
) -> "tuple[StackProfile, str]":
    """Return the profile and its title with the domains. Raises: NothingToReport."""
    if not sum(profile.totals):
        of = f" of {', '.join(sorted(domains))}" if domains else ""
        from xenprof.profile.losses import lost_text

        lost = lost_text(profile.lost)
        of_all = "of all domains " if domains else ""
        raise NothingToReport(f"{title} has no samples{of}{lost and f'; {of_all}{lost}'}")
    from xenprof.report.formats.notes import sampled_domains

    present = sorted(sampled_domains(profile))
    return profile, f"{title}: {', '.join(present)}"


def _host_time(home: Path) -> int | None:
    """Return the host's time in Unix ns; None if no service runs."""
    from xenprof.client import Client, ServiceError
    from xenprof.wire.history import History
    from xenprof.wire.paths import HISTORY

    try:
        return Client(home, _PATIENCE_SECONDS).get(HISTORY, History).now_unix_ns
    except ServiceError:
        return None


def _columns(profile: "StackProfile", event: str | None) -> list[int]:
    """Return the events to show. Raises: UsageError if the event that the user named is missing."""
    if event is None:
        return list(range(len(profile.types)))
    columns = [
        column
        for column, kind in enumerate(profile.types)
        if f"{kind.text}:".startswith(f"{event}:")
    ]
    if not columns:
        there = ", ".join(kind.text for kind in profile.types)
        raise UsageError(f"--event {event}: there are samples of {there}")
    return columns


def _shown(
    request: "Request", by: str, tree: str | None, limit: int | None, threshold_percent: float
) -> "Request":
    from dataclasses import replace

    from xenprof.report.views.table import fields_of

    return replace(
        request,
        fields=fields_of(by) or (),
        tree=cast("Literal['top-down', 'bottom-up'] | None", tree),
        limit=limit,
        threshold_percent=threshold_percent,
    )


def _by_place(request: "Request") -> "Request":
    from dataclasses import replace

    from xenprof.report.views.joining import by_place

    base = None if request.base is None else by_place(request.base)
    return replace(request, profile=by_place(request.profile), base=base, joined="place")


def _tell(request: "Request") -> None:
    """Print what the format has no place for."""
    from xenprof.report.formats.notes import notes

    for line in notes(request):
        _warn(f"note: {line}")


def _trace_request(trace: str | None, mhz: float | None) -> "Request":
    from xenprof.report.formats.request import Request

    return Request(trace=trace or "", mhz=mhz)


def _write(parts: Iterable[bytes], output: str | None) -> None:
    """Write a report, whole or not at all. A file is opened only when there is something to write.

    Raises: UsageError (it cannot be written).
    """
    waiting = iter(parts)
    first = next(waiting, b"")
    try:
        with reader_may_leave(), _opened(output) as out:
            out.writelines(chain([first], waiting))
            out.flush()
    except OSError as error:
        where = output if output is not None else "standard output"
        raise UsageError(f"cannot write {where}: {error.strerror or error}") from None


@contextlib.contextmanager
def _opened(output: str | None) -> Iterator[IO[bytes]]:
    if output is None:
        yield sys.stdout.buffer
        return
    from xenprof.cli.wholefile import opened_whole

    with opened_whole(Path(output)) as out:
        yield out


def _warn(line: str) -> None:
    print(line, file=sys.stderr)


def _warning(line: str) -> None:
    _warn(f"warning: {line}")
