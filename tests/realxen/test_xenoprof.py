"""Xenoprof, driven from domain 0 of a real Xen.

The emulator has no counters, but its processor is one of AMD's that has some to Xen (family 0Fh).
So all of Xenoprof can be used but their overflow: samples are taken by interrupts that are sent
from outside, at which Xen finds all four counters overflown.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hypervisor.live.packing import packed
from tests.support.importing import by_symbol, imported, profile
from tests.support.realxen.machine import CommandFailed, Machine
from tests.support.realxen.outside import FILE
from xenprof.store.losses import session_losses

SAMPLES, LOG, PID = "/tmp/samples", "/tmp/samples.log", "/tmp/samples.pid"
COUNTERS = 4
GUEST = "counted"
PATIENCE_SECONDS = 600


@pytest.fixture(scope="module")
def hammer(xen: Machine) -> Iterator[Machine]:
    """Yield a host with a guest that computes on pcpu 0, which gets the interrupts, and no other."""
    xen.put(packed("1.0"), FILE)
    xen.run("xl vcpu-pin Domain-0 0 0")
    others = "xl list | awk 'NR > 2 { print $1 }'"
    xen.run(f"for one in $({others}); do xl pause $one; done")
    xen.create(GUEST, pcpus="0", cap=50, vcpus=4, wishes="spin=1")
    yield xen
    xen.run(f"xl destroy {GUEST}; for one in $({others}); do xl unpause $one; done")


def began(machine: Machine) -> None:
    """Begin to sample without end, and wait until it has begun."""
    machine.run(
        f"rm -f {SAMPLES}; setsid python3 -I {FILE} xenoprof {SAMPLES} --for 10000 >{LOG} 2>&1"
        f" </dev/null & echo $! >{PID}; until grep -q sampling {LOG}; do sleep 0.2; done",
        PATIENCE_SECONDS,
    )


def ended(machine: Machine, signal: str = "TERM") -> str:
    """End it by a signal; return what it has told."""
    wait = f"while [ -d /proc/$(cat {PID}) ]; do sleep 0.1; done"
    machine.run(f"kill -{signal} $(cat {PID}); {wait}", PATIENCE_SECONDS)
    return machine.run(f"cat {LOG}")


class Sampled(NamedTuple):
    """What became of some interrupts."""

    interrupts: int
    told: str
    archives: Path

    @property
    def taken(self) -> int:
        """How many samples the hypervisor has taken of domain 0 and the guest, as the agent tells."""
        kept, lost = re.findall(r"(\d+) samples, (\d+) lost", self.told)[-1]
        return COUNTERS * int(kept) + int(lost)


def symbols(machine: Machine, folder: Path) -> list[object]:
    """Return the options that name the code of the hypervisor and of domain 0's kernel."""
    for name in ("xen/xensyms", "kallsyms"):
        (folder / Path(name).name).write_bytes(machine.get(f"/proc/{name}"))
    return ["--xen-syms", folder / "xensyms", "--kallsyms", f"0={folder / 'kallsyms'}"]


def archived(machine: Machine, folder: Path, interrupts: int, told: str) -> Sampled:
    file = folder / "samples"
    file.write_bytes(machine.get(SAMPLES))
    imported("xenoprof", file, folder / "archives", *symbols(machine, folder))
    return Sampled(interrupts, told, folder / "archives")


@pytest.fixture(scope="module")
def sampled(hammer: Machine, tmp_path_factory) -> Sampled:
    began(hammer)
    work = "while :; do cat /proc/kallsyms; done"
    hammer.run(f"setsid sh -c '{work}' >/dev/null 2>&1 </dev/null & echo $! >/tmp/work")
    interrupts = hammer.interrupt(400, every_seconds=0.01)
    hammer.run("kill -- -$(cat /tmp/work)")
    return archived(hammer, tmp_path_factory.mktemp("sampled"), interrupts, ended(hammer))


@pytest.fixture(scope="module")
def overrun(hammer: Machine, tmp_path_factory) -> Sampled:
    """Return what became of interrupts while the agent stood still.

    Of one of four vcpus a buffer has room for 2043 samples, which are some 500 interrupts.
    """
    began(hammer)
    hammer.run(f"kill -STOP $(cat {PID})")
    interrupts = hammer.interrupt(4000, every_seconds=0.001)
    hammer.run(f"kill -CONT $(cat {PID}); sleep 1")
    return archived(hammer, tmp_path_factory.mktemp("overrun"), interrupts, ended(hammer))


def test_the_hypervisor_domain_0_and_guests_are_sampled(sampled: Sampled):
    found = {key[:2] for key in by_symbol(profile(sampled.archives))}

    # Where the emulator is slow the guest still boots, and has nothing but its kernel.
    assert found & {(GUEST, "user"), (GUEST, "kernel")}
    assert {("Domain-0", "user"), ("Domain-0", "kernel"), ("Domain-0", "hypervisor")} <= found
    assert (GUEST, "hypervisor") in found


def test_code_of_the_hypervisor_and_of_domain_0_has_names(sampled: Sampled):
    found = by_symbol(profile(sampled.archives))
    named = [key[3] for key in found if key[1] == "hypervisor" or key[:2] == ("Domain-0", "kernel")]

    assert named
    assert 0.9 * len(named) < len([name for name in named if not name.startswith("0x")])


def test_most_interrupts_became_a_sample(sampled: Sampled):
    # Those that come while it begins and ends, or two at a time, are none.
    assert 0.5 * sampled.interrupts < sampled.taken / COUNTERS <= sampled.interrupts


def test_what_the_buffers_had_no_room_for_is_told(overrun: Sampled):
    session = overrun.archives / f"{GUEST}/var/lib/oprofile/samples/current"
    lost = session_losses(session, {})["ring_full"]

    assert lost > 0
    assert 0 == overrun.taken % COUNTERS  # each interrupt is four samples, kept or lost
    assert overrun.taken <= COUNTERS * overrun.interrupts
    assert f", {lost} lost in full buffers" in overrun.told


def test_a_second_one_is_refused_and_disturbs_nothing(hammer: Machine):
    began(hammer)
    second = hammer.run(f"python3 -I {FILE} xenoprof /tmp/other 2>&1 || true", PATIENCE_SECONDS)
    hammer.interrupt(50, every_seconds=0.01)
    told = ended(hammer)

    assert "another xenprof uses it, and it serves one at a time; wait for it" in second
    assert " 0 samples" not in told


def test_one_that_is_killed_is_ended_by_the_next(hammer: Machine):
    began(hammer)
    ended(hammer, "KILL")
    began(hammer)
    hammer.interrupt(50, every_seconds=0.01)
    told = ended(hammer)

    assert "a profile that another program had left running was ended" in told
    assert " 0 samples" not in told


def test_a_guest_destroyed_meanwhile_goes_when_it_ends(hammer: Machine):
    hammer.create("gone", pcpus="1", wishes="spin=1")
    began(hammer)
    hammer.run("xl destroy gone")
    told = ended(hammer)
    left = hammer.run("sleep 1; xl list | grep -c null || true")

    assert ("0", True) == (left.strip(), "samples" in told)
    with pytest.raises(CommandFailed):
        hammer.run("xl domid gone")
