"""Samples the guests of this host into a file: `xenprof-agent contexts FILE`.

The file is read by `xenprof import contexts`. It is text, a thing a line:

    xenprof contexts 1
    period_ns N | unix_ns N | duration_ns N | unplaced N
    domain DOMID UUID NAME
    sample DOMID UUID VCPU kernel|user PC COUNT
    problem TEXT
"""

import sys
import time
from typing import Callable, Dict, Mapping, Sequence, Tuple

from hypervisor.live.agent.domain0.xenstore import ONCE_SECONDS, Store, Xenstore
from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.oneline import one_line
from hypervisor.live.agent.options import Parser, seconds, whole_number
from hypervisor.live.agent.process import privileges
from hypervisor.live.agent.process.clock import Clock
from hypervisor.live.agent.process.stderr import tell
from hypervisor.live.agent.recording.outputfile import output
from hypervisor.live.agent.recording.untiltold import until_told
from hypervisor.live.agent.sampling.contexts import (
    MOST_HERTZ,
    WARNING,
    ContextSampler,
    ContextSamples,
)
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.privcmd import PrivcmdDevice

HEAD = "xenprof contexts 1"


def sampled(
    sampler: ContextSampler,
    store: Store,
    clock: Clock,
    seconds: float,
    wait: Callable[[float], bool],
) -> Tuple[ContextSamples, str]:
    """Sample as `sample_for` does; return what was found, and the text of a file of it."""
    began_ns, unix_ns = clock.now_ns(), clock.unix_ns()
    samples = sample_for(sampler, seconds, wait)
    names = names_of(samples, store)
    return samples, file_text(samples, names, unix_ns, clock.now_ns() - began_ns)


def sample_for(
    sampler: ContextSampler,
    seconds: float,
    wait: Callable[[float], bool],
    now: Callable[[], float] = time.monotonic,
) -> ContextSamples:
    """Sample until the time is over or `wait` (for so many seconds) returns True."""
    end = now() + seconds

    def is_over() -> bool:
        return now() >= end or wait(0.0)

    sampler.round(is_over)
    while now() < end and not wait(min(sampler.pause_seconds(), max(0.0, end - now()))):
        sampler.round(is_over)
    return sampler.samples()


def names_of(samples: ContextSamples, store: Store) -> Dict[Tuple[int, str], str]:
    """Return the names of the domains that were sampled, by id and uuid, as xenstore has them."""
    lives = sorted({place[:2] for place in samples.counts})
    store.begin()
    return {life: store.read("/local/domain/%d/name" % life[0]) or "" for life in lives}


def file_text(
    samples: ContextSamples,
    names: Mapping[Tuple[int, str], str],
    unix_ns: int,
    duration_ns: int,
) -> str:
    """Return the text of a file of samples."""
    lines = [HEAD, "period_ns %d" % samples.period_ns, "unix_ns %d" % unix_ns]
    lines += ["duration_ns %d" % duration_ns, "unplaced %d" % samples.unplaced]
    for (domid, uuid), name in sorted(names.items()):
        lines.append("domain %d %s %s" % (domid, uuid, one_line(name) or "Domain-%d" % domid))
    for (domid, uuid, vcpu, is_kernel, pc), count in sorted(samples.counts.items()):
        mode = "kernel" if is_kernel else "user"
        lines.append("sample %d %s %d %s 0x%x %d" % (domid, uuid, vcpu, mode, pc, count))
    lines += ["problem " + one_line(problem) for problem in samples.problems]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    asked = _parser().parse_args(list(arguments))
    clock = Clock()
    try:
        sampler = ContextSampler(Xen(PrivcmdDevice()), clock, asked.hertz)
        with until_told() as wait, output(asked.file) as out:
            for kept in privileges.give_up(but=privileges.OTHERS_FILES):
                _tell("kept: %s" % kept)
            _tell(WARNING)
            samples, text = sampled(
                sampler, Xenstore(poll_seconds=ONCE_SECONDS), clock, asked.seconds, wait
            )
            out.write(text.encode())
    except AgentError as error:
        _tell(str(error))
        return error.exit_code
    except OSError as error:
        _tell("%s: %s" % (asked.file, error.strerror))
        return 1
    _tell("%d samples in %d rounds" % (sum(samples.counts.values()), samples.rounds))
    return 0


def _tell(text: str) -> None:
    tell("xenprof-agent: contexts: %s" % text)


def _hertz(text: str) -> int:
    return whole_number(text, 1, MOST_HERTZ)


def _parser() -> Parser:
    parser = Parser(
        "xenprof-agent contexts", description="Sample where guests compute. Note: %s." % WARNING
    )
    parser.add_argument("file", metavar="FILE|-")
    parser.add_argument(
        "--for", dest="seconds", type=seconds, default=10.0, metavar="SECONDS", help="(default: 10)"
    )
    parser.add_argument(
        "--hertz", type=_hertz, default=MOST_HERTZ, help="1 to %d a vcpu (default)" % MOST_HERTZ
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
