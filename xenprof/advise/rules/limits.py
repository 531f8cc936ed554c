"""What the talk says is supported: interfaces, processors and memory of domains."""

from collections.abc import Iterator, Mapping
from typing import Final

from xenprof.advise.advice import Advice, Command, Observed
from xenprof.advise.facts import DomainFacts, Facts
from xenprof.advise.rules.words import in_file, managed, mib

# All numbers are those of the slides.
SLIDE: Final = "RHEL-5 Virtualization Status"
FULL_SLIDE: Final = "RHEL-5 Virtualization Status (continued)"
MOST_VIFS: Final = 3
MOST_VCPUS: Final = 32
MOST_FULL_VCPUS: Final = 1
MOST_MIB: Final[Mapping[str, int]] = {"i386": 16 * 1024, "x86_64": 64 * 1024}
MOST_FULL_MIB: Final[Mapping[str, int]] = {"i386": 1536}
_UNMEASURED: Final = "what is supported is no matter of speed"
_LAST_SUPPORTED_XEN: Final = 3
"""The limits are those of RHEL 5: hosts with a later Xen have others."""


def _applies(facts: Facts) -> bool:
    return facts.xen_major is not None and facts.xen_major <= _LAST_SUPPORTED_XEN


def _beyond(
    id_: str, title: str, do: tuple[Command, ...], guest: DomainFacts, slide: str, *seen: Observed
) -> Advice:
    return Advice(
        id=id_,
        title=title,
        do=do,
        where=guest.name,
        why="RHEL 5 is neither tested nor supported beyond.",
        slide=slide,
        strength="consider",
        rests_on=seen,
        unmeasured=_UNMEASURED,
    )


def interfaces(facts: Facts) -> Iterator[Advice]:
    """Tell of domains with more than three interfaces."""
    for guest in facts.guests if _applies(facts) else ():
        if len(guest.vifs) > MOST_VIFS:
            yield _beyond(
                "limits.interfaces",
                f"Leave {guest.name} {MOST_VIFS} interfaces",
                managed(facts, "network-detach", guest.name, guest.vifs[-1].index),
                guest,
                SLIDE,
                Observed("interfaces", len(guest.vifs)),
            )


def processors(facts: Facts) -> Iterator[Advice]:
    """Tell of domains with more vcpus than are supported."""
    for one in facts.domains if _applies(facts) else ():
        most, slide = MOST_VCPUS, SLIDE
        if one.kind == "hvm":
            most, slide = MOST_FULL_VCPUS, FULL_SLIDE
        if one.vcpus is not None and one.kind is not None and one.vcpus > most:
            yield _beyond(
                "limits.processors",
                f"Leave {one.name} {most} vcpu{'s' if most > 1 else ''}",
                (in_file(one.name, f"vcpus = {most}"),),
                one,
                slide,
                Observed("vcpus", one.vcpus),
                Observed("kind", one.kind),
            )


def memory(facts: Facts) -> Iterator[Advice]:
    """Tell of domains with more memory than is supported."""
    for one in facts.domains if _applies(facts) and facts.arch is not None else ():
        sizes, slide = MOST_MIB, SLIDE
        if one.kind == "hvm":
            sizes, slide = MOST_FULL_MIB, FULL_SLIDE
        most = sizes.get(facts.arch or "")
        if most is None or one.kind is None or one.memory_mib is None or one.memory_mib <= most:
            continue
        yield _beyond(
            "limits.memory",
            f"Leave {one.name} {most} MiB",
            managed(facts, "mem-set", one.name, most),
            one,
            slide,
            mib("memory", one.memory_mib),
        )
