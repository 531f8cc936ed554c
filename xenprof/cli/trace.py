"""`xenprof trace`: records the trace rings of the running service, and reads trace files."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

from xenprof.cli.durations import Duration
from xenprof.cli.options import RealNumber, WholeNumber, home_at, state_dir_option
from xenprof.cli.stdout import reader_may_leave
from xenprof.cli.trace_client import TraceClient
from xenprof.client import Client
from xenprof.errors import UsageError
from xenprof.wire.trace import StartTrace

_STEP_NS = 100_000_000
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Number(click.ParamType[int]):
    """A number from 1, decimal or hexadecimal with 0x."""

    name = "NUMBER"

    def convert(self, value: object, param: object, ctx: object) -> int:
        """Return the number."""
        try:
            number = int(str(value), 0)
        except ValueError:
            number = 0
        if number < 1 or number >> 64:
            self.fail(f"{value!r} is not a number from 1, such as 15 or 0xf")
        return number


@click.command("trace")
@click.argument("file", required=False, metavar="FILE|-")
@click.option(
    "-t",
    "--log-thresh",
    type=Number(),
    default="1",
    show_default=True,
    help="Records in a ring before it is emptied.",
)
@click.option(
    "-s",
    "--poll-sleep",
    type=WholeNumber(1, 60_000),
    default=100,
    show_default=True,
    help="Model ms between two looks at the rings.",
)
@click.option("-c", "--cpu-mask", type=Number(), help="Which pcpus, as bits.  [default: all]")
@click.option(
    "-e",
    "--evt-mask",
    default="all",
    show_default=True,
    metavar="MASK",
    help="Which events: numbers, or gen, sched, dom0op, vmx, mem, all; joined by commas.",
)
@click.option(
    "-S",
    "--trace-buf-size",
    type=Number(),
    help="Pages of each ring; once per boot.  [default: 20]",
)
@click.option(
    "-D",
    "--discard-buffers",
    is_flag=True,
    expose_value=False,
    help="Leave out records from before: always so here.",
)
@click.option("--for", "duration_ns", type=Duration(), help="Model time.  [default: until Ctrl-C]")
@click.option("--dump", "wants_dump", is_flag=True, help="Print every record of FILE.")
@click.option(
    "--summary",
    "wants_summary",
    is_flag=True,
    help="Print where the time of each vcpu in FILE went.",
)
@click.option(
    "--mhz",
    type=RealNumber(1, 100_000),
    help="Speed of the tsc in FILE.  [default: as its records tell, else 2400]",
)
@state_dir_option
def command(
    file: str | None,
    log_thresh: int,
    poll_sleep: int,
    cpu_mask: int | None,
    evt_mask: str,
    trace_buf_size: int | None,
    duration_ns: int | None,
    wants_dump: bool,
    wants_summary: bool,
    mhz: float | None,
    state_dir: Path | None,
) -> int:
    """Record trace records of the running service to FILE (-: stdout), or read such a FILE.

    FILE has the format of the host's own xentrace: 3.0.3's on x86_64, or that of Xen 4. --dump
    and --summary read both, and standard input for -.
    """
    from xenprof.trace.names import event_mask

    if file is None:
        raise UsageError("trace: a FILE is missing, or - for stdout")
    if wants_dump and wants_summary:
        raise UsageError("trace: --dump or --summary, not both")
    if wants_dump:
        return _dump(file)
    if wants_summary:
        return _summarise(file, mhz)
    asked = StartTrace(event_mask(evt_mask), poll_sleep, log_thresh, cpu_mask, trace_buf_size)
    chosen_home = home_at(state_dir)
    reader = TraceClient(Client(chosen_home), asked)
    return _record(file, reader, poll_sleep * 10**6, duration_ns)


def _record(file: str, reader: TraceClient, poll_ns: int, duration_ns: int | None) -> int:
    if file == "-" and sys.stdout.isatty():
        raise UsageError("trace: the records are binary: give a FILE, or a pipe for -")
    with reader, _writing(file) as out:
        end_ns = None if duration_ns is None else reader.start_ns + duration_ns
        now_ns = reader.start_ns
        with _signals() as signals:
            while not signals.came and (end_ns is None or now_ns < end_ns):
                step_ns = max(poll_ns, _STEP_NS)
                step_ns = step_ns if end_ns is None else min(step_ns, end_ns - now_ns)
                with signals.interrupting():
                    reader.wait(step_ns)
                data, now_ns = reader.read()
                out.write(_until(data, end_ns, reader))
        if end_ns is None or now_ns < end_ns:  # Ctrl-C: read what is left
            data, now_ns = reader.stop()
            out.write(_until(data, end_ns, reader))
    return 0


def _until(data: bytes, end_ns: int | None, reader: TraceClient) -> bytes:
    """Return the records up to a time; the service may have run a little longer."""
    from xenprof.trace.forms import form_named

    if end_ns is None:
        return data
    return form_named(reader.form).until(data, end_ns * reader.mhz // 1000)


class _Signals:
    """Notes signals that end the program; interrupts only code that may be interrupted."""

    def __init__(self) -> None:
        self.came = False
        self._may_break = False

    def handle(self, number: int, frame: object) -> None:
        """Note a signal."""
        self.came = True
        if self._may_break:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def interrupting(self) -> Iterator[None]:
        """Interrupt the body when a signal comes."""
        self._may_break = True
        with contextlib.suppress(KeyboardInterrupt):
            yield
        self._may_break = False


@contextlib.contextmanager
def _signals() -> Iterator[_Signals]:
    """Note signals while the body runs; records that were read are written first."""
    signals = _Signals()
    before = {number: signal.signal(number, signals.handle) for number in _SIGNALS}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _writing(file: str) -> Iterator[IO[bytes]]:
    if file == "-":
        with reader_may_leave():
            yield sys.stdout.buffer
        return
    try:
        with Path(file).open("wb") as out:
            yield out
    except OSError as error:
        raise UsageError(f"trace: {file}: {error.strerror or error}") from None


def _dump(file: str) -> int:
    from xenprof.trace.dump import lines
    from xenprof.trace.reading import open_trace, shown_name

    with open_trace(file) as trace, reader_may_leave():
        for records in trace.chunks():
            text = "\n".join(lines(records, is_new=trace.is_new))
            print(text)
        _warn(shown_name(file), trace.skipped_bytes)
    return 0


def _summarise(file: str, mhz: float | None) -> int:
    from xenprof.trace.reading import open_trace, shown_name
    from xenprof.trace.summary import summarise
    from xenprof.trace.summary_text import lines

    with open_trace(file) as trace, reader_may_leave():
        summary = summarise(trace.ordered(), mhz).finish(trace.format, trace.skipped_bytes)
        print("\n".join(lines(summary)))
        _warn(shown_name(file), trace.skipped_bytes)
    return 0


def _warn(file: str, skipped_bytes: int) -> None:
    if skipped_bytes:
        print(f"xenprof: {file}: skipped {skipped_bytes} bytes that are no record", file=sys.stderr)
