"""Full virtualization: drivers that know of Xen in place of emulated devices."""

from collections.abc import Iterator
from typing import Final

from xenprof.advise import gauges
from xenprof.advise.advice import Advice, Change, Command, Observed, Setting
from xenprof.advise.facts import Facts
from xenprof.advise.rules.words import key_of, percent

SLIDE: Final = "VT-x (Intel) / Pacifica (AMD)"
REQUESTS_PER_SECOND: Final = 5.0  # judgement: below this nobody waits for the emulated disk
BITS_PER_SECOND: Final = 1e6  # judgement: below this nobody waits for the emulated card


def drivers(facts: Facts) -> Iterator[Advice]:
    """Advise paravirtualized drivers where emulated devices have work to do."""
    for guest in facts.guests:
        if guest.kind != "hvm":
            continue
        disks = [one for one in guest.disks if one.is_emulated]
        vifs = [one for one in guest.vifs if one.is_emulated]
        requests = sum(one.requests_per_second or 0 for one in disks)
        bits = sum(
            (one.receive_bits_per_second or 0) + (one.transmit_bits_per_second or 0) for one in vifs
        )
        busy_disk, busy_vif = requests >= REQUESTS_PER_SECOND, bits >= BITS_PER_SECOND
        if not (busy_disk or busy_vif):
            continue
        commands = ["modprobe xen-vbd"] * bool(disks) + ["modprobe xen-vnif"] * bool(vifs)
        observed = []
        if busy_disk:
            observed.append(Observed("requests to emulated disks", round(requests, 1), "1/s"))
        if busy_vif:
            traffic = round(bits / 1e6, 1)
            observed.append(Observed("through emulated interfaces", traffic, "Mbit/s"))
        if guest.served_percent is not None:
            observed.append(percent("domain 0 for it", guest.served_percent))
        yield Advice(
            id="full.drivers",
            title=f"Load paravirtualized drivers in {guest.name}",
            do=tuple(Command(guest.name, command) for command in commands),
            where=guest.name,
            why="Each access to a register of an emulated device leaves the guest and waits for a "
            "process in domain 0. A driver that knows of Xen puts its requests into a ring.",
            slide=SLIDE,
            strength="do",
            rests_on=tuple(observed),
            change=Change(
                (Setting(key_of(guest, "drivers"), "pv"),),
                # Emulated and paravirtualized requests have other sizes: work tells of disks.
                (gauges.cost_of_bytes(guest.name),) if busy_vif else (),
                helped=(guest.name,),
            ),
        )
