"""`xenprof capture-scenario`: writes a scenario of the host that the service watches."""

import json
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hypervisor.telemetry import DomainSnapshot
from hypervisor.telemetry.unknown import shown
from xenprof.cli.aligned import aligned
from xenprof.cli.durations import Duration
from xenprof.cli.looking import capture_noted, looked
from xenprof.cli.options import home_at, state_dir_option
from xenprof.cli.wholefile import write_whole
from xenprof.client import Client
from xenprof.errors import UsageError, XenprofError

if TYPE_CHECKING:
    from xenprof.capture.fitting import Captured
    from xenprof.capture.window import Window

_WINDOW_NS = 30 * 10**9


@click.command("capture-scenario")
@click.option(
    "--for",
    "duration_ns",
    type=Duration(),
    help="Host time to measure.  [default: 30s]",
)
@click.option(
    "--from",
    "recording",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Take what xenprof top --record saw, not the host.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the scenario to this file, in place of printing it.",
)
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object.")
@state_dir_option
def command(
    duration_ns: int | None,
    recording: Path | None,
    output: Path | None,
    wants_json: bool,
    state_dir: Path | None,
) -> int:
    """Write a scenario of the host, fitted to what its domains do, for `xenprof run`.

    The model runs it, and a table tells how well the domains' shares agree. What the model cannot
    express and what is unknown of the host is told in the file and on standard error.
    """
    if recording and duration_ns:
        raise UsageError("capture-scenario: --from takes all that was recorded, without --for")
    if recording:
        window = _recorded(recording)
    else:
        window = looked(Client(home_at(state_dir)), duration_ns or _WINDOW_NS)
    captured = capture_noted(window)
    if output is not None:
        write_whole(output, captured.text.encode())
    if wants_json:
        print(json.dumps(_as_json(captured, window), indent=2))
        return 0
    if output is None:
        print(captured.text, end="")
    print(_as_text(captured), file=sys.stderr if output is None else sys.stdout)
    return 0


def _recorded(path: Path) -> "Window":
    from xenprof.capture.window import Window
    from xenprof.xentop.recording import Recording

    with closing(Recording(path)) as recording:
        if len(recording) < 2:
            raise UsageError(f"{path}: two looks are needed; it holds {len(recording)}")
        first, last = recording.at(0).host, recording.at(len(recording) - 1).host
        between: dict[object, DomainSnapshot] = {}
        times_ns = []
        for number in range(len(recording)):
            with suppress(XenprofError):  # a damaged look in between is not needed
                host = recording.at(number).host
                times_ns.append(host.time_ns)
                if host.boot == first.boot:
                    between |= {domain.life: domain for domain in host.domains}
        # Of a model's host nothing but its clock tells its runs.
        if first.boot is None and times_ns != sorted(times_ns):
            raise UsageError(f"{path}: the host was started again in what was recorded")
        return Window(first, last, tuple(between.values()))


def _as_json(captured: "Captured", window: "Window") -> dict[str, object]:
    return {
        "window_seconds": window.elapsed_ns / 1e9,
        "domains": [
            {
                "id": row.domid,
                "host_name": row.host_name,
                "name": row.name,
                "measured_percent": _percent(row.measured),
                "model_percent": _percent(row.modelled),
                "error_points": _percent(row.error),
            }
            for row in captured.rows
        ],
        "notes": [{"about": note.about, "text": note.text} for note in captured.notes],
        "scenario": captured.text,
    }


def _as_text(captured: "Captured") -> str:
    rows: list[tuple[str, ...]] = [("Domain", "Measured %", "Model %", "Error")]
    for row in captured.rows:
        shares = (_percent(row.measured), _percent(row.modelled))
        error = None if row.error is None else round(100 * row.error, 1) + 0.0  # no -0.0
        rows.append((row.name, *(shown(share, ".1f") for share in shares), shown(error, "+.1f")))
    return "\n".join(aligned(rows, (False, True, True, True)))


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 3) + 0.0
