"""Profiles this host by Xenoprof into a file: `xenprof-agent xenoprof FILE`.

The file is read by `xenprof import xenoprof`. It is text, a thing a line:

    xenprof xenoprof 1
    cpu_type TYPE
    event NAME PERIOD UNITMASK
    unix_ns N | duration_ns N | unasked N | unplaced N
    domain DOMID UUID NAME
    sample DOMID UUID VCPU user|kernel|xen PC COUNT
    lost DOMID UUID COUNT
    problem TEXT
"""

import sys
from typing import Callable, Dict, Mapping, NamedTuple, Sequence, Tuple

from hypervisor.live.agent.domain0.xenstore import ONCE_SECONDS, Store, Xenstore
from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.oneline import one_line
from hypervisor.live.agent.options import Parser, seconds, whole_number
from hypervisor.live.agent.process import privileges
from hypervisor.live.agent.process.clock import Clock
from hypervisor.live.agent.process.stderr import tell
from hypervisor.live.agent.recording.outputfile import output
from hypervisor.live.agent.recording.untiltold import until_told
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.life import Life
from hypervisor.live.agent.xen.privcmd import Privcmd, PrivcmdDevice
from hypervisor.live.agent.xen.records import DomainInfo
from hypervisor.live.agent.xenoprof.claim import claimed
from hypervisor.live.agent.xenoprof.cycles import count_for
from hypervisor.live.agent.xenoprof.profiling import Profiling
from hypervisor.live.agent.xenoprof.samples import MODES, Samples, Tally, chosen

HEAD = "xenprof xenoprof 1"
DEFAULT_HERTZ = 99
MOST_HERTZ = 10000  # judgement

_LOOK_SECONDS = 0.05  # judgement: of one of 128 vcpus a buffer has room for 60 samples


class Wanted(NamedTuple):
    """How long to sample, and how often in a second of a busy pcpu."""

    seconds: float = 10.0
    hertz: int = DEFAULT_HERTZ


def sampled(
    privcmd: Privcmd,
    store: Store,
    clock: Clock,
    wanted: Wanted,
    wait: Callable[[float], bool],
    told: Callable[[str], None],
) -> Tuple[Samples, str]:
    """Sample until the time is over or `wait` returns True; return it, and a file's text of it.

    Hold Xenoprof by `claimed` meanwhile. `told` is given a line when it has begun.

    Raises:
        AgentError: It cannot be profiled, or another program has taken Xenoprof over.
    """
    xen = Xen(privcmd)
    domains = xen.domains()
    guests, problems = chosen(domains)
    period = count_for(wanted.hertz, xen.physinfo().khz)
    names = _names(store, [one for one in domains if not one.domid or one.domid in guests])
    tally = Tally(domains)
    profiling = Profiling(privcmd)
    unix_ns = clock.unix_ns()
    event = profiling.start(guests, period)
    began_ns = now_ns = clock.now_ns()
    end_ns = began_ns + round(wanted.seconds * 1e9)
    try:
        told("sampling by %s:%d, domain 0 and %d guests" % (event.name, period, len(guests)))
        while now_ns < end_ns and not wait(min(_LOOK_SECONDS, (end_ns - now_ns) / 1e9)):
            tally.add(profiling.read())
            now_ns = clock.now_ns()
    finally:
        taken, counted = profiling.stop()
    duration_ns = clock.now_ns() - began_ns
    tally.add(taken)
    samples = tally.samples(event, period, counted, problems + profiling.problems)
    return samples, file_text(samples, names, unix_ns, duration_ns)


def _names(store: Store, domains: Sequence[DomainInfo]) -> Dict[Life, str]:
    store.begin()
    return {
        (one.domid, one.uuid): store.read("/local/domain/%d/name" % one.domid) or ""
        for one in domains
    }


def file_text(samples: Samples, names: Mapping[Life, str], unix_ns: int, duration_ns: int) -> str:
    """Return the text of a file of samples."""
    event = samples.event
    lines = [HEAD, "cpu_type %s" % event.cpu_type]
    lines.append("event %s %d %d" % (event.name, samples.period, event.unit_mask))
    lines += ["unix_ns %d" % unix_ns, "duration_ns %d" % duration_ns]
    lines += ["unasked %d" % samples.unasked, "unplaced %d" % samples.unplaced]
    for (domid, uuid), name in sorted(names.items()):
        lines.append("domain %d %s %s" % (domid, uuid, one_line(name) or "Domain-%d" % domid))
    for (domid, uuid, vcpu, mode, pc), count in sorted(samples.counts.items()):
        lines.append("sample %d %s %d %s 0x%x %d" % (domid, uuid, vcpu, MODES[mode], pc, count))
    for life, lost in sorted(samples.lost.items()):
        lines.append("lost %d %s %d" % (life[0], life[1], lost))
    lines += ["problem " + one_line(problem) for problem in samples.problems]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    asked = _parser().parse_args(list(arguments))
    try:
        with until_told() as wait:
            samples = _into(asked.file, Wanted(asked.seconds, asked.hertz), wait)
    except AgentError as error:
        _tell(str(error))
        return error.exit_code
    except OSError as error:
        _tell("%s: %s" % (asked.file, error.strerror))
        return 1
    for problem in samples.problems:
        _tell(problem)
    counted, lost = sum(samples.counts.values()), sum(samples.lost.values())
    _tell("%d samples, %d lost in full buffers" % (counted, lost))
    return 0


def _into(file: str, wanted: Wanted, wait: Callable[[float], bool]) -> Samples:
    device = PrivcmdDevice()
    with claimed(), output(file) as out:
        for kept in privileges.give_up(but=privileges.OTHERS_FILES):
            _tell("kept: %s" % kept)
        samples, text = sampled(
            device, Xenstore(poll_seconds=ONCE_SECONDS), Clock(), wanted, wait, _tell
        )
        out.write(text.encode())
    return samples


def _tell(text: str) -> None:
    tell("xenprof-agent: xenoprof: %s" % text)


def _hertz(text: str) -> int:
    return whole_number(text, 1, MOST_HERTZ)


def _parser() -> Parser:
    parser = Parser(
        "xenprof-agent xenoprof",
        description="Sample what the hypervisor, domain 0 and guests do, by Xenoprof.",
    )
    parser.add_argument("file", metavar="FILE|-")
    parser.add_argument(
        "--for", dest="seconds", type=seconds, default=10.0, metavar="SECONDS", help="(default: 10)"
    )
    parser.add_argument(
        "--hertz",
        type=_hertz,
        default=DEFAULT_HERTZ,
        help="of a pcpu that is busy, 1 to %d (default: %d)" % (MOST_HERTZ, DEFAULT_HERTZ),
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
