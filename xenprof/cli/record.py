"""`xenprof record`: profiles the host of this domain 0 in the best way that it has."""

import sys
import threading
from pathlib import Path

import click

from xenprof.cli.durations import Duration
from xenprof.cli.options import WholeNumber
from xenprof.errors import UsageError
from xenprof.imports.ways import CONTEXTS, PERF, WAYS, Way, ways

_HERTZ = {PERF: 99, CONTEXTS: 50}


@click.command("record")
@click.option("-o", "--output", required=True, metavar="DIR", help="Gets one archive per domain.")
@click.option("--for", "duration_ns", type=Duration(), default="10s", show_default=True)
@click.option("--by", type=click.Choice(WAYS), help="How.  [default: the first that works]")
@click.option(
    "--hertz", type=WholeNumber(1, 10_000), help="Samples a second.  [default: 99, contexts: 50]"
)
@click.option(
    "--kallsyms",
    multiple=True,
    metavar="[N=]FILE",
    help="contexts: symbols of the guests' kernels, or of domain N's.",
)
def command(
    output: str, duration_ns: int, by: str | None, hertz: int | None, kallsyms: tuple[str, ...]
) -> int:
    """Profile the host of this domain 0 into archives, as `xenprof import` makes them.

    perf sees the hypervisor, domain 0 and guests; it needs a PMU that Xen passes on. contexts
    sees where paravirtualized guests compute, without a PMU, and disturbs scheduling a little.
    """
    from xenprof.imports.archive import check_free

    check_free(Path(output))
    way = _chosen(by)
    print(f"by {way.name}: {way.sees}", file=sys.stderr)
    wanted_hertz = hertz or _HERTZ[way.name]
    if way.name == PERF:
        return _by_perf(output, duration_ns / 1e9, wanted_hertz)
    return _by_contexts(output, duration_ns / 1e9, wanted_hertz, kallsyms)


def _chosen(by: str | None) -> Way:
    """Return the way to go. Raises: UsageError: it lacks something; of all, what each lacks."""
    found = [one for one in ways() if by in (None, one.name)]
    for one in found:
        if one.lacks is None:
            return one
    raise UsageError(
        "record: nothing can be profiled here: "
        + "; ".join(f"{one.name}: {one.lacks}" for one in found)
    )


def _by_perf(output: str, seconds: float, hertz: int) -> int:
    from xenprof.cli.import_foreign import write_perf
    from xenprof.imports.perfdriver import sampled

    symbols = Path("/proc/xen/xensyms")
    return write_perf(sampled(seconds, hertz), output, symbols if symbols.exists() else None)


def _by_contexts(output: str, seconds: float, hertz: int, kallsyms: tuple[str, ...]) -> int:
    from hypervisor.live.agent.domain0.xenstore import Xenstore
    from hypervisor.live.agent.errors import AgentError
    from hypervisor.live.agent.process.clock import Clock
    from hypervisor.live.agent.recording.contexts import sampled
    from hypervisor.live.agent.sampling.contexts import WARNING, ContextSampler
    from hypervisor.live.agent.xen.hypercalls import Xen
    from hypervisor.live.agent.xen.privcmd import PrivcmdDevice
    from xenprof.cli.import_foreign import write_contexts
    from xenprof.imports.xenoprof.symbolfiles import kernels_in

    kernels = kernels_in(kallsyms)
    print(f"note: {WARNING}", file=sys.stderr)
    clock = Clock()
    try:
        sampler = ContextSampler(Xen(PrivcmdDevice()), clock, hertz)
        _, text = sampled(sampler, Xenstore(), clock, seconds, threading.Event().wait)
    except AgentError as error:
        raise UsageError(f"record: {error}") from None
    return write_contexts(text.encode(), "the samples", "-", output, kernels)
