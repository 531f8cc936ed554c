"""`xenprof top`: watches a host as xentop does, with steal and caps, and records and replays it."""

import contextlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import click

from xenprof.cli.notes import note
from xenprof.cli.options import RealNumber, WholeNumber, home_at, state_dir_option
from xenprof.cli.sizes import Size
from xenprof.cli.terminal import has_terminal
from xenprof.client import Client
from xenprof.errors import UsageError
from xenprof.wire.host_requests import Wait
from xenprof.xentop.feed import Feed, LiveFeed, ReplayFeed
from xenprof.xentop.fetch import ANSWER_SECONDS, newest
from xenprof.xentop.forms import XENPROF
from xenprof.xentop.heat import heatmap
from xenprof.xentop.provenance import provenance
from xenprof.xentop.recording import Recorder, Recording, RecordingError
from xenprof.xentop.span import Span
from xenprof.xentop.table import table
from xenprof.xentop.view import DEFAULT_DELAY_SECONDS, LONGEST_DELAY_SECONDS, View

_BATCH_CELLS = 100  # columns of a batch's panels: 64 pcpus fit in a line
_SORTS = {column.head.partition("(")[0].lower(): n for n, column in enumerate(XENPROF.columns)}
"""The number of a column by its word; of those with one word, CPU(sec) and CPU(%), the last."""


@click.command("top")
@click.option("--host", metavar="NAME", help="Of several that the service reads.  [default: first]")
@click.option("-b", "--batch", "is_batch", is_flag=True, help="Print tables; no screen, no keys.")
@click.option(
    "-d",
    "--delay",
    "delay_seconds",
    type=RealNumber(0, LONGEST_DELAY_SECONDS, min_open=True),
    default=DEFAULT_DELAY_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="Between two looks; of a batch's, model time.",
)
@click.option(
    "-i", "--iterations", type=WholeNumber(min=1), metavar="N", help="End after so many looks."
)
@click.option("-n", "--networks", is_flag=True, help="Show each interface.")
@click.option("-x", "--vbds", is_flag=True, help="Show each block device.")
@click.option("-v", "--vcpus", is_flag=True, help="Show each vcpu.")
@click.option("-r", "--repeat-header", is_flag=True, help="Show the head before each domain.")
@click.option("-s", "--sort", type=click.Choice(list(_SORTS)), default="name", show_default=True)
@click.option("--pcpus", is_flag=True, help="With -b, print how busy each pcpu is.")
@click.option("--sources", is_flag=True, help="With -b, print where the data come from.")
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Add what is seen to a file.",
)
@click.option(
    "--record-limit",
    "limit_bytes",
    type=Size(),
    default="256MiB",
    show_default=True,
    help="How long that file may get.",
)
@click.option(
    "--replay",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Show such a file instead of the host.",
)
@click.option(
    "--speed",
    type=RealNumber(1 / 64, 64),
    default=1.0,
    show_default=True,
    metavar="X",
    help="Of a replay on the screen.",
)
@state_dir_option
def command(
    host: str | None,
    is_batch: bool,
    delay_seconds: float,
    iterations: int | None,
    networks: bool,
    vbds: bool,
    vcpus: bool,
    repeat_header: bool,
    sort: str,
    pcpus: bool,
    sources: bool,
    record: Path | None,
    limit_bytes: int,
    replay: Path | None,
    speed: float,
    state_dir: Path | None,
) -> int:
    """Show what each domain uses, waits for and is kept from by its cap; what is unknown is -.

    Keys: those of xentop; P for the pcpus, I for where the data come from.
    """
    if host and replay:
        raise UsageError("top: --host or --replay, not both")
    if record and replay:
        raise UsageError("top: --record or --replay, not both")
    if not is_batch and not has_terminal():
        raise UsageError("top: not a terminal; use -b")
    view = View(_SORTS[sort], networks, vbds, vcpus, repeat_header)
    show = _Batch(view, pcpus, sources).show if is_batch else None
    with contextlib.ExitStack() as opened:
        if replay:
            recording = opened.enter_context(contextlib.closing(_recording(replay)))
            feed: Feed = ReplayFeed(recording, speed)
            spans = _replayed(feed, min(iterations or len(recording), len(recording)))
        else:
            client = Client(home_at(state_dir), None if is_batch else ANSWER_SECONDS)
            feed = LiveFeed(lambda: newest(client, host), _recorder(opened, record, limit_bytes))
            spans = _seen(feed, client, delay_seconds, iterations)
        if show is None:
            return _screen(feed, view, delay_seconds, iterations)
        for span in spans:
            show(span)
    return 0


def _recorder(opened: contextlib.ExitStack, path: Path | None, limit_bytes: int) -> Recorder | None:
    """Return the recorder; when it is closed, why it has not recorded all is told."""
    if path is None:
        return None
    recorder = opened.enter_context(contextlib.closing(Recorder(path, limit_bytes)))

    def tell() -> None:
        if recorder.trouble is not None:
            note(f"not all was recorded: {recorder.trouble}")

    opened.callback(tell)
    return recorder


def _recording(path: Path) -> Recording:
    recording = Recording(path)
    if not len(recording):
        recording.close()
        raise RecordingError(f"{path} holds no whole look")
    if recording.is_cut:
        note(f"{path} was cut: its last whole look is number {len(recording)}")
    return recording


def _screen(feed: Feed, view: View, delay_seconds: float, iterations: int | None) -> int:
    first = feed.look(is_due=False)  # without a service this fails before the screen is shown
    from xenprof.xentop.faces import XENPROF_TOP  # Textual takes longer to import than the rest
    from xenprof.xentop.screen import Pace, run

    return run(XENPROF_TOP, feed, first, view, Pace(delay_seconds, iterations))


def _seen(feed: Feed, client: Client, delay_seconds: float, looks: int | None) -> Iterator[Span]:
    """Yield what the service tells, a delay of model time apart."""
    for number in count() if looks is None else range(looks):
        if number:
            client.do(Wait(delay_seconds))
        yield feed.look(is_due=True)


def _replayed(feed: Feed, looks: int) -> Iterator[Span]:
    """Yield what was recorded, at once; what is damaged is told and left out."""
    for number in range(looks):
        try:
            yield feed.look(is_due=number > 0)
        except RecordingError as error:
            note(str(error))


class _Batch:
    """Prints tables, and panels below them."""

    def __init__(self, view: View, has_pcpus: bool, has_sources: bool) -> None:
        self._view = view
        self._form = XENPROF
        self._has_pcpus = has_pcpus
        self._has_sources = has_sources

    def show(self, span: Span) -> None:
        """Print one look."""
        self._form = self._form.holding(span.now)
        lines = list(table(span, self._view, self._form))
        if self._has_pcpus:
            lines += heatmap(span, _BATCH_CELLS)
        if self._has_sources:
            lines += provenance(span, _BATCH_CELLS)
        print("\n".join(line.text for line in lines), flush=True)
