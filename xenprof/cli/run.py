"""`xenprof run`: runs the model alone, as fast as it can, and profiles it on request."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hypervisor.host import Host
from xenprof.cli.durations import Duration
from xenprof.cli.heap import lasting
from xenprof.cli.options import WholeNumber, callgraph_option
from xenprof.cli.progress import Progress, progress
from xenprof.errors import UsageError
from xenprof.home import DOMAIN_0_ID

if TYPE_CHECKING:
    from hypervisor.model.scenario.spec import Scenario
    from xenprof.service.commands import Command

EPOCH_NS = 1_178_668_800 * 10**9
"""Virtual Unix time at the start of every run: 2007-05-09, so that runs can be compared."""
_SHOWN_SLICE_NS = 100_000_000
_STARTS = ("opcontrol start-daemon", "opcontrol start")


@click.command("run")
@click.option(
    "--scenario",
    default="grumble",
    show_default=True,
    is_eager=True,
    callback=lambda ctx, param, name: _load(name),
    help="Name, or a TOML file.",
)
@click.option("--for", "duration_ns", type=Duration(), required=True, help="Virtual time to run.")
@click.option("--seed", type=WholeNumber(0, 2**63 - 1), help="Instead of the scenario's.")
@click.option(
    "--profile",
    "events",
    multiple=True,
    metavar="EVENT:COUNT[:MASK[:KERNEL[:USER]]]",
    help="Sample this event; may be repeated.",
)
@click.option("--active", metavar="LIST", help="Domains that take part.  [default: 0]")
@click.option("--passive", metavar="LIST", help="Domains that are sampled without taking part.")
@callgraph_option
@click.option(
    "--commands",
    "commands_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Replay the commands.jsonl of a service.",
)
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep domains and samples there; else they are thrown away.",
)
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object.")
def command(
    scenario: "Scenario",
    duration_ns: int,
    seed: int | None,
    events: tuple[str, ...],
    active: str | None,
    passive: str | None,
    depth: int,
    commands_file: Path | None,
    state_dir: Path | None,
    wants_json: bool,
) -> int:
    """Run the model without a service and print what it did."""
    from xenprof.cli.run_result import as_json, as_text, lost_line, never_ran

    if (active or passive or depth) and not events:
        raise UsageError("--active, --passive and --callgraph say how to --profile; which event?")
    commands = _read_log(commands_file) if commands_file else []
    if state_dir:
        from xenprof.service.own_home import make_private_folder

        try:
            make_private_folder(state_dir)
        except OSError as error:
            raise UsageError(f"--state-dir {state_dir}: {error.strerror}") from None
    with lasting():
        host = _build(scenario, seed)
    if not (events or commands or state_dir):
        with progress(duration_ns) as shown:
            advance(host, duration_ns, shown)
        snapshot = host.telemetry.snapshot()
    else:
        # Here, because importing all that a session needs takes as long as making a host.
        with lasting():
            from xenprof.cli.run_sessions import run_at

        with run_at(state_dir, host) as run:
            if events or any(one.name in _STARTS for _, one in commands):
                run.note_earlier_samples()
            if events:
                run.start_profiling(events, active or str(DOMAIN_0_ID), passive, depth)
            with progress(duration_ns) as shown:
                run.advance(duration_ns, commands, shown)
            snapshot = host.telemetry.snapshot()
            if events:
                run.stop_profiling()
    after = host.telemetry.snapshot()
    if wants_json:
        print(json.dumps(as_json(snapshot, after.xenoprof), indent=2))
    else:
        print(as_text(snapshot, after.xenoprof))
    for line in (lost_line(after), *never_ran(snapshot)):
        if line:
            print(f"xenprof: {line}", file=sys.stderr)
    return 0


def advance(host: Host, duration_ns: int, shown: Progress) -> None:
    """Run a host until model time `duration_ns`, in slices only if somebody watches."""
    slice_ns = _SHOWN_SLICE_NS if shown.is_shown else duration_ns
    while host.now_ns < duration_ns:
        host.advance(min(host.now_ns + slice_ns, duration_ns))
        shown.at(host.now_ns)


def _load(name: str) -> "Scenario":
    """Return a scenario, before other options are looked at: a slip in its name is told first."""
    from hypervisor.model.scenario.spec import load_scenario

    with lasting():
        return load_scenario(name)


def _build(scenario: "Scenario", seed: int | None) -> Host:
    from hypervisor.model.machine import build
    from hypervisor.model.native import offered

    if seed is not None:
        host = scenario.host.model_copy(update={"seed": seed})
        scenario = scenario.model_copy(update={"host": host})
    return offered(build(scenario, epoch_ns=EPOCH_NS))


def _read_log(file: Path) -> "list[tuple[int, Command]]":
    from xenprof.service.commands import read_log  # with the records of all commands

    return read_log(file)
