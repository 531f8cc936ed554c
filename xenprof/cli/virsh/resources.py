"""virsh setvcpus, vcpupin, setmem and setmaxmem. On success they print nothing, as in libvirt."""

from collections.abc import Mapping

from hypervisor.cpus import parse_cpus
from hypervisor.errors import HostError
from xenprof.cli.virsh.connection import Connection
from xenprof.cli.virsh.errors import VirshError
from xenprof.cli.virsh.grammar import Command, Option
from xenprof.cli.virsh.listing import DOMAIN
from xenprof.wire.domain_requests import PinVcpu, SetMaximumMemory, SetMemory, SetVcpus

Words = Mapping[str, str]

_LEAST_MEMORY_KIB = 4096  # libvirt, src/libvirt.c: virDomainSetMemory refuses smaller sizes


def _setvcpus(connection: Connection, words: Words) -> None:
    count = _number(words, "count", 1)
    domain = connection.domain(words["domain"])
    connection.do("virDomainSetVcpus", SetVcpus(count), domain.name)


def _vcpupin(connection: Connection, words: Words) -> None:
    vcpu = _number(words, "vcpu", 0)
    try:
        pcpus = parse_cpus(words["cpulist"])
    except HostError as error:
        raise VirshError(f"{error}") from None
    domain = connection.domain(words["domain"])
    if vcpu >= len(domain.vcpus):
        count = len(domain.vcpus)
        raise VirshError(f"domain '{words['domain']}' has no vcpu {vcpu}; use 0 to {count - 1}")
    connection.do("virDomainPinVcpu", PinVcpu(vcpu, pcpus), domain.name)


def _setmem(connection: Connection, words: Words) -> None:
    _memory(connection, words, "virDomainSetMemory", SetMemory)


def _setmaxmem(connection: Connection, words: Words) -> None:
    _memory(connection, words, "virDomainSetMaxMemory", SetMaximumMemory)


def _memory(connection: Connection, words: Words, function: str, request: type[SetMemory]) -> None:
    kib = _number(words, "bytes", 1)
    if kib < _LEAST_MEMORY_KIB:
        library = f"Domain error : invalid argument in {function}"
        least = f"{kib} kB is too little memory; give {_LEAST_MEMORY_KIB} or more"
        raise VirshError(least, library)
    domain = connection.domain(words["domain"])
    connection.do(function, request(kib >> 10), domain.name)


def _number(words: Words, name: str, least: int) -> int:
    text = words[name]
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else -1
    if number < least:
        raise VirshError(f"invalid <{name}> '{text}'; give a whole number from {least} up")
    return number


COMMANDS = (
    Command(
        "setmem",
        "change memory allocation",
        _setmem,
        (DOMAIN, Option("bytes", "number of kilobytes of memory")),
        "Change the current memory allocation in the guest domain.",
    ),
    Command(
        "setmaxmem",
        "change maximum memory limit",
        _setmaxmem,
        (DOMAIN, Option("bytes", "maximum memory limit in kilobytes")),
        "Change the maximum memory allocation limit in the guest domain.",
    ),
    Command(
        "setvcpus",
        "change number of virtual CPUs",
        _setvcpus,
        (DOMAIN, Option("count", "number of virtual CPUs")),
        "Change the number of virtual CPUs active in the guest domain.",
    ),
    Command(
        "vcpupin",
        "control domain vcpu affinity",
        _vcpupin,
        (
            DOMAIN,
            Option("vcpu", "vcpu number"),
            Option("cpulist", "host cpu number(s) (comma separated)"),
        ),
        "Pin domain VCPUs to host physical CPUs.",
    ),
)
