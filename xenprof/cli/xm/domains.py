"""xm commands that make one call for one domain: destroy, pause, mem-set, vcpu-pin and others."""

from hypervisor.cpus import parse_cpus
from hypervisor.errors import HostError
from xenprof.cli.notes import note
from xenprof.cli.xm.command import NEWEST, OLDEST, Command, Words, XmError, integer, tools_of
from xenprof.cli.xm.looking import snapshot_of
from xenprof.cli.xm.told import memory_note, vcpus_note
from xenprof.client import Client
from xenprof.wire.domain_requests import (
    Destroy,
    Pause,
    PinVcpu,
    SetMaximumMemory,
    SetMemory,
    SetVcpus,
    Sysrq,
    Trigger,
    Unpause,
)
from xenprof.wire.requests import DomainRequest

_ALL_CPUS = range(64)  # 0-63. Source: tools/python/xen/xm/main.py (3.1), xm_vcpu_pin


def _plain(request: DomainRequest, summary: str) -> Command:
    def run(client: Client, words: Words) -> int:
        client.do(request, words.arguments[0])
        return 0

    return Command(request.command, "<Domain>", summary, run, minimum=1, maximum=1)


def _vcpu_set(client: Client, words: Words) -> int:
    domain, count = words.arguments[0], integer(words.arguments[1])
    client.do(SetVcpus(count), domain)
    if text := vcpus_note(snapshot_of(client), domain, count):
        note(text)
    return 0


def _vcpu_pin(client: Client, words: Words) -> int:
    """Pin one vcpu, or all of them with tools 3.0.3; only 3.1 has a word for all pcpus."""
    domain, vcpu, cpus = words.arguments
    tools = tools_of(client) if "all" in (vcpu, cpus) else NEWEST
    if cpus == "all" and tools == OLDEST:
        raise XmError("Invalid argument.")
    number = None if vcpu == "all" and tools == OLDEST else integer(vcpu)
    try:
        pcpus = _ALL_CPUS if cpus == "all" else parse_cpus(cpus)
    except HostError as error:
        raise XmError(str(error)) from None
    client.do(PinVcpu(number, tuple(pcpus)), domain)
    return 0


def _mem_set(client: Client, words: Words) -> int:
    domain, size = words.arguments
    mib = memory_mib(size)
    client.do(SetMemory(mib), domain)
    if text := memory_note(snapshot_of(client), domain, mib):
        note(text)
    return 0


def _mem_max(client: Client, words: Words) -> int:
    domain, size = words.arguments
    client.do(SetMaximumMemory(memory_mib(size)), domain)
    return 0


def memory_mib(text: str) -> int:
    """Return a size in MiB; it may end in k, m (the default) or g. Raises: XmError."""
    shift = {"k": -10, "m": 0, "g": 10}.get(text[-1:].lower())
    number = integer(text if shift is None else text[:-1])
    return number << shift if shift and shift > 0 else number >> -(shift or 0)


def _sysrq(client: Client, words: Words) -> int:
    domain, key = words.arguments
    client.do(Sysrq(key), domain)
    return 0


def _trigger(client: Client, words: Words) -> int:
    domain, trigger, *vcpu = words.arguments
    client.do(Trigger(trigger, integer(vcpu[0]) if vcpu else 0), domain)
    return 0


DESTROY = _plain(Destroy(), "End a domain at once, without asking it.")
PAUSE = _plain(Pause(), "Stop a domain where it is; it keeps its memory.")
UNPAUSE = _plain(Unpause(), "Let a paused domain run again.")
VCPU_SET = Command(
    "vcpu-set", "<Domain> <vCPUs>",
    "Set how many VCPUs of a domain are online.",
    _vcpu_set, minimum=2, maximum=2,
)  # fmt: skip
VCPU_PIN = Command(
    "vcpu-pin", "<Domain> <VCPU> <CPUs>",
    "Set the CPUs that a VCPU may run on.",
    _vcpu_pin, minimum=3, maximum=3,
)  # fmt: skip
MEM_SET = Command(
    "mem-set", "<Domain> <Mem>",
    "Set the memory that a domain should use now, in MiB.",
    _mem_set, minimum=2, maximum=2,
)  # fmt: skip
MEM_MAX = Command(
    "mem-max", "<Domain> <Mem>",
    "Set the most memory that a domain may have, in MiB.",
    _mem_max, minimum=2, maximum=2,
)  # fmt: skip
SYSRQ = Command(
    "sysrq", "<Domain> <letter>",
    "Send a sysrq key to a domain.",
    _sysrq, minimum=2, maximum=2,
)  # fmt: skip
TRIGGER = Command(
    "trigger", "<Domain> <nmi|reset|init> [<VCPU>]",
    "Send an NMI, a reset or an init to a domain.",
    _trigger, minimum=2, maximum=3,
)  # fmt: skip
