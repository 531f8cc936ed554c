"""Sizes the kernel's buffers for call stacks, where the user has not.

Without stacks the kernel's own sizes stay. With them each sample takes an entry for each of its
callers, and in domain 0 all samples of passive domains may come through the buffer of one vcpu.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hypervisor.host import OprofileDriver
from xenprof.wire.opcontrol import Setup

_SIZES = ("buffer_size", "buffer_watershed", "cpu_buffer_size")  # files, and fields of a Setup
_KERNEL_BUFFER, _KERNEL_CPU_BUFFER = 131072, 8192
_MOST_ENTRIES = 1 << 22
"""The most entries of a buffer: 32 MiB of event buffer, 64 MiB of cpu buffer; judgement."""
_MARKS = 2  # a sample's own entry, and the one that tells that callers follow
_SYNCS_PER_SECOND = 10  # the kernel empties its cpu buffers every 100 ms
_EVENT_WORDS = 2  # pc and counter of each entry
_SPARE = 2  # a sync may be late by as much as it takes; judgement
_WOKEN_AT = 4  # the daemon is woken at a quarter of a second's samples; judgement


@dataclass(frozen=True, slots=True)
class Load:
    """The most that a domain's driver may have to hold.

    `vcpus` are its own, `passive_vcpus` those of the passive domains whose samples it takes,
    `pcpus` the host's, each of which runs one of them at a time.
    """

    mhz: float
    vcpus: int
    passive_vcpus: int
    pcpus: int


def sized(setup: Setup, load: Load) -> Setup:
    """Return the setup with a size for each buffer that has none, if stacks are recorded.

    Judgement: an event happens at most once in a cycle. Sizes that the user gave stay.
    """
    if not setup.callgraph_depth:
        return setup
    each_second = sum(load.mhz * 1e6 / event.count for event in setup.events if event.count)
    entries = setup.callgraph_depth + _MARKS
    if not setup.cpu_buffer_size:
        at_once = min(1 + load.passive_vcpus, load.pcpus)
        wanted = _SPARE * each_second * at_once * entries / _SYNCS_PER_SECOND
        setup = replace(setup, cpu_buffer_size=_entries(wanted, _KERNEL_CPU_BUFFER))
    if not setup.buffer_size:
        running = min(load.vcpus + load.passive_vcpus, load.pcpus)
        wanted = _EVENT_WORDS * each_second * running * entries
        size = _entries(wanted, _KERNEL_BUFFER)
        setup = replace(
            setup,
            buffer_size=size,
            buffer_watershed=setup.buffer_watershed or size - size // _WOKEN_AT,
        )
    return setup


def _entries(wanted: float, least: int) -> int:
    """Return a power of two, as the kernel's own sizes are."""
    return max(least, min(1 << max(0, int(wanted) - 1).bit_length(), _MOST_ENTRIES))


def changed_sizes(driver: OprofileDriver, asked: Setup, chosen: Setup) -> Mapping[str, str]:
    """Return the kernel's present sizes of the buffers whose new sizes hold for one daemon only.

    They are those that were chosen, not asked for; if they are for once, also those asked for.
    """
    lasting = Setup() if asked.sizes_are_for_once else asked
    return {
        name: driver.read(name)
        for name in _SIZES
        if getattr(chosen, name) != getattr(lasting, name)
    }


def restore(driver: OprofileDriver, sizes: Mapping[str, str]) -> None:
    """Give the kernel its sizes back, so that the new ones hold for one daemon only."""
    for name, value in sizes.items():
        driver.write(name, value)
