"""`xenprof experiment`: runs variants of a scenario side by side, and shows what each gives."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from xenprof.cli.aligned import aligned
from xenprof.cli.heap import lasting
from xenprof.cli.options import WholeNumber
from xenprof.cli.progress import counted
from xenprof.disk import make_folder
from xenprof.errors import UsageError
from xenprof.experiment.limits import MAXIMUM_SEEDS, MAXIMUM_WORKERS
from xenprof.home import home

if TYPE_CHECKING:
    from distributed import Client

    from xenprof.experiment.findings import Findings
    from xenprof.experiment.plan import Experiment
    from xenprof.experiment.record import Record

_INTERRUPTED = 130
_FIRST_LOOK: Final = "a first look, whose figures may be off by a factor, "


@click.command("experiment")
@click.argument("name", required=False, metavar="NAME|FILE.toml")
@click.option("--list", "wants_list", is_flag=True, help="List the built-in experiments.")
@click.option("--quick", "is_quick", is_flag=True, help="One seed, and a part of the time.")
@click.option(
    "--seeds", type=WholeNumber(1, MAXIMUM_SEEDS), help="Runs of each variant, instead of its own."
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of what is written.  [default: experiments/NAME in $XENPROF_HOME, NAME-quick "
    "with --quick]",
)
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Of dask, such as tcp://HOST:8786; trust it as yourself.  [default: processes here]",
)
@click.option(
    "--workers",
    type=WholeNumber(1, MAXIMUM_WORKERS),
    help="Processes here.  [default: one for each processor]",
)
def command(
    name: str | None,
    wants_list: bool,
    is_quick: bool,
    seeds: int | None,
    output: Path | None,
    wants_json: bool,
    scheduler: str | None,
    workers: int | None,
) -> int:
    """Run an experiment: a built-in one, or that of a TOML file."""
    if wants_list:
        return _list()
    if name is None:
        raise UsageError("which experiment? xenprof experiment --list shows those that there are")
    if scheduler is not None and workers is not None:
        raise UsageError("--workers are processes here, and --scheduler has its own")
    with lasting():
        from xenprof.experiment.errors import RunFailed, one_line
        from xenprof.experiment.reading import load
        from xenprof.experiment.record import Record

    experiment = load(name, is_quick=is_quick, seeds=seeds)
    os.umask(0o077)
    usual = f"{experiment.name}-quick" if is_quick else experiment.name
    folder = output or home() / "experiments" / usual
    try:
        make_folder(folder)
        with Record(folder, experiment) as record:
            there = len(record.runs)
            refused = _run(experiment, record, scheduler, workers)
        if refused is None:
            return _INTERRUPTED
        _show(experiment, record, folder, wants_json)
    except OSError as error:
        if error.filename is None:  # it is of a connection to workers, not of a file
            raise RunFailed(
                f"worker processes: {one_line(error) or 'they do not answer'}"
            ) from None
        raise UsageError(f"{error.filename2 or error.filename}: {error.strerror}") from None
    earlier = f"; {there} of {len(experiment.runs())} runs were there" if there else ""
    look = _FIRST_LOOK if is_quick else ""
    print(f"xenprof: {look}written to {folder}{earlier}", file=sys.stderr)
    for line in refused:
        print(f"xenprof: cannot be run: {line}", file=sys.stderr)
    return 1 if refused else 0


def _run(
    experiment: "Experiment", record: "Record", scheduler: str | None, workers: int | None
) -> tuple[str, ...] | None:
    """Do what is not done; return which variants cannot be run, None if Ctrl-C came first."""
    from xenprof.experiment.running import missing, run_all

    due = missing(experiment, record)
    if not due:
        return ()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    try:
        with counted("runs") as told, _cluster(scheduler, workers, len(due)) as client:
            return run_all(experiment, record, client, told)
    except KeyboardInterrupt:
        print(
            f"xenprof: {len(record.runs)} of {len(experiment.runs())} runs are kept; "
            "type the same again to go on",
            file=sys.stderr,
        )
        return None


def _interrupt(number: int, frame: object) -> None:
    """End as by Ctrl-C, with processes and folders."""
    raise KeyboardInterrupt


def _show(experiment: "Experiment", record: "Record", folder: Path, wants_json: bool) -> None:
    """Print what there is, then write it, of which a picture may be the part that fails."""
    from xenprof.experiment.findings import findings
    from xenprof.experiment.outputs.files import write

    found = findings(experiment, record.runs)
    _print(found, wants_json)
    write(folder, found)


def _cluster(
    scheduler: str | None, workers: int | None, runs: int
) -> "AbstractContextManager[Client]":
    with lasting():
        if scheduler is not None:
            from xenprof.experiment.cluster.remote import remote

            return remote(scheduler)
        from xenprof.experiment.cluster.local import local

        return local(min(workers or len(os.sched_getaffinity(0)), runs))


def _print(found: "Findings", wants_json: bool) -> None:
    if wants_json:
        from xenprof.experiment.outputs.tables import as_json

        print(as_json(found))
        return
    print("\n".join(_as_text(found)))


def _as_text(found: "Findings") -> Iterator[str]:
    from xenprof.experiment.words import cells, heads, sentences

    axes = len(found.heads)
    results = len(found.experiment.results)
    rows = [heads(found), *(cells(found, row) for row in found.rows)]
    yield from aligned(rows, [False] * axes + [True, False] * results)
    told = list(sentences(found))
    if told:
        yield ""
        yield from told


def _list() -> int:
    from xenprof.experiment.reading import names, texts

    rows = [(name, one.title, one.slide) for name in names() for one in (texts(name),)]
    heads = ("name", "what it shows", "slide of the talk")
    print("\n".join(aligned([heads, *rows], (False, False, False))))
    return 0
