"""`xenprof advise`: the Summit talk's advice for a host, and what it would bring there."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xenprof.cli.durations import Duration
from xenprof.cli.heap import lasting
from xenprof.cli.looking import SOURCE, capture_noted, is_first, looked
from xenprof.cli.notes import note
from xenprof.cli.options import home_at, state_dir_option
from xenprof.cli.progress import counted
from xenprof.cli.wholefile import write_whole
from xenprof.client import Client
from xenprof.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xenprof.advise.facts import Facts
    from xenprof.advise.plan import Planned
    from xenprof.advise.trials import Times
    from xenprof.capture.window import Window

_WINDOW_NS = 20 * 10**9  # judgement: some hundred bursts of most programs
_QUICK_WINDOW_NS = 5 * 10**9  # judgement: a first look
_WARM_UP_NS = 3 * 10**9  # judgement: bursts and caches are as they stay


@dataclass(frozen=True, slots=True)
class _Seen:
    """A host that was looked at: its facts, and its scenario if there is one.

    `shown` says what was looked at, `built_in` is the name of a scenario that comes with us. A
    captured scenario was made of `window`, and has `names` of its own for domains.
    """

    facts: "Facts"
    shown: str
    tables: dict[str, Any] | None = None
    built_in: str | None = None
    window: "Window | None" = None
    names: "Mapping[str, str] | None" = None


@click.command("advise")
@click.option(
    "--scenario",
    metavar="NAME|FILE",
    help="Look at the host of a scenario, in the model.  [default: the running service's host]",
)
@click.option("--host", metavar="NAME", help="Of several that the service reads.  [default: first]")
@click.option(
    "--for", "duration_ns", type=Duration(), help="Host time to look.  [default: 20s; --quick: 5s]"
)
@click.option("--measure", "is_measured", is_flag=True, help="Show in the model what each brings.")
@click.option("--quick", "is_quick", is_flag=True, help="Look and measure for a shorter time.")
@click.option(
    "--write",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a file for xenprof experiment for each piece of advice.",
)
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object.")
@state_dir_option
def command(
    scenario: str | None,
    host: str | None,
    duration_ns: int | None,
    is_measured: bool,
    is_quick: bool,
    folder: Path | None,
    wants_json: bool,
    state_dir: Path | None,
) -> int:
    """Give the advice of the Summit talk for a host, with what it rests on.

    With --measure the model runs the host as it is and as advised, and says what each piece of
    advice brings, to whom, and who loses by it.
    """
    if scenario is not None and (host or state_dir):
        raise UsageError("advise: --scenario looks at no service; leave out --host and --state-dir")
    duration_ns = duration_ns or (_QUICK_WINDOW_NS if is_quick else _WINDOW_NS)
    if scenario is not None:
        seen = _of_scenario(scenario, duration_ns)
    else:
        client = Client(home_at(state_dir))
        seen = _of_service(client, host, duration_ns, has_scenario=is_measured or bool(folder))
    with lasting():
        from xenprof.advise.plan import planned
        from xenprof.advise.telling import as_json, as_text
        from xenprof.advise.trials import FULL, QUICK
    plans = planned(seen.facts, seen.tables, seen.names, seen.window)
    times = QUICK if is_quick else FULL
    if is_measured:
        plans = _measured(plans, times)
    if folder is not None:
        _write(folder, plans, seen, times)
    if wants_json:
        print(json.dumps(as_json(seen.facts, plans), indent=2))
    else:
        print("\n".join(as_text(seen.facts, plans, seen.shown)))
    return 0


def _of_scenario(name: str, duration_ns: int) -> _Seen:
    with lasting():
        from xenprof.advise.model import is_built_in, settings_of, tables_of, watched
        from xenprof.advise.watching import facts_of
    tables = tables_of(name)
    window, host = watched(tables, _WARM_UP_NS, duration_ns)
    facts = facts_of(window, settings_of(tables, host))
    shown = f"{_shape(facts)}, in the model, {_seconds(window)}"
    return _Seen(facts, shown, tables, name if is_built_in(name) else None)


def _of_service(client: Client, host: str | None, duration_ns: int, *, has_scenario: bool) -> _Seen:
    from xenprof.advise.asking import AskedService
    from xenprof.advise.settings import Settings, asked_settings
    from xenprof.advise.watching import facts_of

    window = looked(client, duration_ns, host)
    is_asked = "toolstack" in window.last.sources and (host is None or is_first(client, host))
    settings = asked_settings(AskedService(client), window.last) if is_asked else Settings()
    facts = facts_of(window, settings)
    shown = f"{_shape(facts)}, {_seconds(window)}"
    if not has_scenario:
        return _Seen(facts, shown)
    tables, names = _captured(window)
    return _Seen(facts, shown, tables, None, window, names)


def _captured(window: "Window") -> tuple[dict[str, Any], dict[str, str]]:
    """Return a scenario of the host that was watched, and what it calls the domains."""
    from xenprof.advise.model import parsed_tables

    captured = capture_noted(window)
    errors = [abs(row.error) for row in captured.rows if row.error is not None]
    if errors:
        note(
            "measured on a captured scenario of the host, in which shares of pcpus are off by "
            f"{100 * max(errors):.1f} points at most"
        )
    names = {row.host_name: row.name for row in captured.rows}
    return parsed_tables(captured.text, SOURCE), names


def _shape(facts: "Facts") -> str:
    pcpus, guests = len(facts.pcpus), len(facts.guests)
    count = f"{pcpus} pcpu{'s' if pcpus != 1 else ''}, " if pcpus else ""
    return f"{count}{guests} guest{'s' if guests != 1 else ''}"


def _seconds(window: "Window") -> str:
    return f"{window.elapsed_ns / 1e9:.0f} s"


def _measured(plans: "Sequence[Planned]", times: "Times") -> "tuple[Planned, ...]":
    from xenprof.advise.measuring import effects
    from xenprof.advise.plan import with_effects

    trials = [one.trial for one in plans if one.trial is not None]
    if not trials:
        return tuple(plans)
    with counted("runs") as told:
        return with_effects(plans, effects(trials, times, told))


def _write(folder: Path, plans: "Sequence[Planned]", seen: _Seen, times: "Times") -> None:
    """Write what tells of a host's guests, for nobody else to read; remove what is older."""
    from xenprof.advise.experimentfile import files, is_ours
    from xenprof.service.own_home import private_files

    assert seen.tables is not None
    with private_files():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.glob("*.toml"):
                if is_ours(path):
                    path.unlink()
        except OSError as error:
            raise UsageError(f"--write {error.filename or folder}: {error.strerror}") from None
        for name, text in files(plans, seen.tables, seen.facts.host, seen.built_in, times):
            write_whole(folder / name, text.encode())
