"""`xenprof record`: profiles the host of this domain 0 in the best way that it has."""

import sys
import threading
from pathlib import Path

import click

from xenprof.cli.durations import Duration
from xenprof.cli.options import WholeNumber
from xenprof.errors import UsageError
from xenprof.imports.ways import CONTEXTS, PERF, WAYS, XENOPROF, Way, ways

_HERTZ = {PERF: 99, XENOPROF: 99, CONTEXTS: 50}
_XENSYMS, _KALLSYMS = Path("/proc/xen/xensyms"), Path("/proc/kallsyms")


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
    help="xenoprof, contexts: symbols of the guests' kernels, or of domain N's.",
)
@click.option(
    "--xen-syms", metavar="FILE", help="Symbols of the hypervisor.  [default: /proc/xen/xensyms]"
)
def command(
    output: str,
    duration_ns: int,
    by: str | None,
    hertz: int | None,
    kallsyms: tuple[str, ...],
    xen_syms: str | None,
) -> int:
    """Profile the host of this domain 0 into archives, as `xenprof import` makes them.

    perf sees the hypervisor, domain 0 and guests; it needs a PMU that Xen passes on. xenoprof
    sees the same and each guest apart, up to Xen 4.21, on processors that it knows. contexts sees
    where paravirtualized guests compute, without a PMU, and disturbs scheduling a little.
    """
    from xenprof.imports.archive import check_free

    check_free(Path(output))
    way, lacking = _chosen(by)
    for one in lacking:
        print(f"not by {one.name}: {one.lacks}", file=sys.stderr)
    print(f"by {way.name}: {way.sees}", file=sys.stderr)
    wanted_hertz = hertz or _HERTZ[way.name]
    seconds = duration_ns / 1e9
    xen = Path(xen_syms) if xen_syms else _XENSYMS if _XENSYMS.exists() else None
    if way.name == PERF:
        return _by_perf(output, seconds, wanted_hertz, xen)
    if way.name == XENOPROF:
        return _by_xenoprof(output, seconds, wanted_hertz, kallsyms, xen)
    return _by_contexts(output, seconds, wanted_hertz, kallsyms)


def _chosen(by: str | None) -> tuple[Way, list[Way]]:
    """Return the way to go, and those before it that lack something.

    Raises: UsageError: it lacks something; of all, what each lacks.
    """
    lacking: list[Way] = []
    for one in ways(names=WAYS if by is None else (by,)):
        if one.lacks is None:
            return one, lacking
        lacking.append(one)
    raise UsageError(
        "record: nothing can be profiled here: "
        + "; ".join(f"{one.name}: {one.lacks}" for one in lacking)
    )


def _by_perf(output: str, seconds: float, hertz: int, xen: Path | None) -> int:
    from xenprof.cli.import_foreign import write_perf
    from xenprof.imports.perfdriver import sampled

    return write_perf(sampled(seconds, hertz), output, xen)


def _by_xenoprof(
    output: str, seconds: float, hertz: int, kallsyms: tuple[str, ...], xen: Path | None
) -> int:
    from hypervisor.live.agent.domain0.xenstore import ONCE_SECONDS, Xenstore
    from hypervisor.live.agent.errors import AgentError
    from hypervisor.live.agent.process.clock import Clock
    from hypervisor.live.agent.recording.untiltold import until_told
    from hypervisor.live.agent.recording.xenoprof import MOST_HERTZ, Wanted, sampled
    from hypervisor.live.agent.xen.privcmd import PrivcmdDevice
    from hypervisor.live.agent.xenoprof.claim import claimed
    from xenprof.cli.import_foreign import write_xenoprof
    from xenprof.home import DOMAIN_0_ID
    from xenprof.imports.agentlines import Symbols
    from xenprof.imports.xenoprof.symbolfiles import kernels_in, symbols_in

    kernels = kernels_in(kallsyms)
    if DOMAIN_0_ID not in kernels and _KALLSYMS.exists():
        kernels[DOMAIN_0_ID] = symbols_in(str(_KALLSYMS))
    symbols = Symbols(kernels, None if xen is None else symbols_in(str(xen)))
    wanted = Wanted(seconds, min(hertz, MOST_HERTZ))
    try:
        device = PrivcmdDevice()
        with claimed(), until_told() as wait:
            _, text = sampled(
                device, Xenstore(poll_seconds=ONCE_SECONDS), Clock(), wanted, wait, _note
            )
    except AgentError as error:
        raise UsageError(f"record: {error}") from None
    return write_xenoprof(text.encode(), "the samples", "-", output, symbols)


def _by_contexts(output: str, seconds: float, hertz: int, kallsyms: tuple[str, ...]) -> int:
    from hypervisor.live.agent.domain0.xenstore import ONCE_SECONDS, Xenstore
    from hypervisor.live.agent.errors import AgentError
    from hypervisor.live.agent.process.clock import Clock
    from hypervisor.live.agent.recording.contexts import sampled
    from hypervisor.live.agent.sampling.contexts import WARNING, ContextSampler
    from hypervisor.live.agent.xen.hypercalls import Xen
    from hypervisor.live.agent.xen.privcmd import PrivcmdDevice
    from xenprof.cli.import_foreign import write_contexts
    from xenprof.imports.xenoprof.symbolfiles import kernels_in

    kernels = kernels_in(kallsyms)
    _note(WARNING)
    clock = Clock()
    try:
        sampler = ContextSampler(Xen(PrivcmdDevice()), clock, hertz)
        _, text = sampled(
            sampler, Xenstore(poll_seconds=ONCE_SECONDS), clock, seconds, threading.Event().wait
        )
    except AgentError as error:
        raise UsageError(f"record: {error}") from None
    return write_contexts(text.encode(), "the samples", "-", output, kernels)


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)
