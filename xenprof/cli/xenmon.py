"""`xenprof xenmon`: shows which domains get the processors, live or in log files."""

import contextlib
from pathlib import Path

import click

from hypervisor.trace_events import GENERAL, GRANT_TRANSFER, SCHED
from xenprof.cli.options import RealNumber, WholeNumber, home_at, state_dir_option
from xenprof.cli.trace_client import TraceClient
from xenprof.client import Client
from xenprof.errors import UsageError
from xenprof.wire.paths import TRACE
from xenprof.wire.trace import StartTrace, TraceState

_EVENTS = GENERAL | SCHED | GRANT_TRANSFER & 0xFFFFF000
_MS = 1_000_000


@click.command("xenmon")
@click.option("-l", "--live", "is_live", is_flag=True, help="Show the screen.  [default]")
@click.option("-n", "--notlive", is_flag=True, help="Write log files instead of the screen.")
@click.option(
    "-p", "--prefix", default="log", show_default=True, help="Of the log files: PREFIX-dom<N>.log."
)
@click.option(
    "-t",
    "--time",
    "seconds",
    type=RealNumber(0, min_open=True),
    default=10.0,
    show_default=True,
    help="Model seconds to log.",
)
@click.option(
    "-i",
    "--interval",
    "interval_ms",
    type=WholeNumber(min=100),
    default=1000,
    show_default=True,
    help="Model ms between two rows of a log.",
)
@click.option(
    "--ms_per_sample",
    "sample_ms",
    type=WholeNumber(10, 1000),
    default=100,
    show_default=True,
    help="Model ms of one sample.",
)
@click.option("--cpu", default=0, type=WholeNumber(min=0), help="Which pcpu to show first.")
@click.option(
    "--screens",
    type=WholeNumber(min=1),
    help="Show so many screens and end.  [default: until q]",
)
@state_dir_option
def command(
    is_live: bool,
    notlive: bool,
    prefix: str,
    seconds: float,
    interval_ms: int,
    sample_ms: int,
    cpu: int,
    screens: int | None,
    state_dir: Path | None,
) -> int:
    """Show per domain what it got, waited for and spent blocked; keys: q, c or n, p (CPU)."""
    if is_live and notlive:
        raise UsageError("xenmon: -l or -n, not both")
    if interval_ms % sample_ms:
        raise UsageError(
            f"xenmon: -i {interval_ms} is not a multiple of the {sample_ms} ms samples"
        )
    from xenprof.cli.xenmon_watch import Watch  # it imports numpy, which --help does without

    client = Client(home_at(state_dir))
    with TraceClient(client, StartTrace(_EVENTS, min(100, sample_ms))) as reader:
        watch = Watch(reader, sample_ms * _MS, interval_ms * _MS)
        with contextlib.suppress(KeyboardInterrupt):
            if notlive:
                watch.log(prefix, round(seconds * 1e9), interval_ms * _MS)
            else:
                watch.show(cpu, len(client.get(TRACE, TraceState).lost), screens)
    return 0
