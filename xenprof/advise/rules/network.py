"""The network: rate windows, cards for one guest, bridges without a card, limits."""

from collections.abc import Iterator
from typing import Final

from xenprof.advise import gauges
from xenprof.advise.advice import Advice, Change, Command, Observed, Setting
from xenprof.advise.facts import DomainFacts, Facts, VifFacts
from xenprof.advise.rules.words import in_domain0, in_file, key_of, managed, percent
from xenprof.home import DOMAIN_0

RATE_SLIDE: Final = 'Limit guest using "rate=xxx"'
SHARING_SLIDE: Final = "Dynamic Network I/O Sharing"
LARGEST_PACKET_BYTES: Final = 65_226  # of TSO with its headers: docs/scenarios.md, The network
AMPLE_WINDOW_BYTES: Final = 131_072  # from there on a packet more or less does not matter: same
BELOW_RATE: Final = 0.9  # judgement: of what is granted gets out
HELD_PERCENT: Final = 5.0  # of the time, judgement: packets wait for the next window
SERVED_PERCENT: Final = 10.0  # of a pcpu, judgement: domain 0 for one guest's packets
SERVED_PART: Final = 0.5  # judgement: of what domain 0 does
TRAFFIC_BITS: Final = 50e6  # judgement: a twentieth of a gigabit card


def rate(facts: Facts) -> Iterator[Advice]:
    """Advise a longer window where it grants less than one large packet."""
    for guest in facts.guests:
        for vif in guest.vifs:
            granted, window_us = vif.rate_bytes_per_second, vif.rate_window_us
            if granted is None or window_us is None or granted <= 0:
                continue
            bytes_per_window = granted * window_us // 1_000_000
            sent, held = vif.transmit_bits_per_second, vif.limited_percent
            if bytes_per_window >= LARGEST_PACKET_BYTES or sent is None or held is None:
                continue
            if held < HELD_PERCENT or sent >= BELOW_RATE * 8 * granted:
                continue
            yield _longer_window(guest, vif, granted, bytes_per_window)


def _longer_window(
    guest: DomainFacts, vif: VifFacts, granted: int, bytes_per_window: int
) -> Advice:
    milliseconds = -(-AMPLE_WINDOW_BYTES * 1000 // granted)
    limit = f"rate={granted}B/s@{milliseconds}ms"
    return Advice(
        id="network.rate",
        title=f"Give {guest.name} a longer window of its rate",
        do=(in_file(guest.name, limit, f"in the entry of vif {vif.index} in place of its rate"),),
        where=f"{guest.name}, vif {vif.index}",
        why="A guest hands down packets of up to 64 KiB, which a card cuts. The limit counts such "
        "a packet as a whole, so that a window that grants less lets one out in every second "
        "or third only. Until its next start a guest can do without such packets: "
        f"ethtool -K eth{vif.index} tso off.",
        slide=RATE_SLIDE,
        strength="do",
        rests_on=(
            Observed("a window grants", bytes_per_window, "bytes"),
            Observed("the rate", round(8 * granted / 1e6, 2), "Mbit/s"),
            Observed("sent", round((vif.transmit_bits_per_second or 0) / 1e6, 2), "Mbit/s"),
            Observed("held back", round(vif.limited_percent or 0, 1), "% of the time"),
        ),
        change=Change(
            (Setting(key_of(guest, "vif", str(vif.index)), limit, is_part=True),),
            (gauges.transmitted(guest.name),),
            helped=(guest.name,),
        ),
    )


def _bits(guest: DomainFacts) -> float:
    return sum(
        (vif.receive_bits_per_second or 0) + (vif.transmit_bits_per_second or 0)
        for vif in guest.vifs
    )


def card(facts: Facts) -> Iterator[Advice]:
    """Advise a card of its own for the guest that takes most of domain 0's time."""
    domain0 = facts.domain0
    if domain0 is None or domain0.running_percent is None:
        return
    least = max(SERVED_PERCENT, SERVED_PART * domain0.running_percent)
    guests = [
        one
        for one in facts.guests
        if (one.served_percent or 0) >= least
        and _bits(one) >= TRAFFIC_BITS
        and all(vif.is_emulated is False for vif in one.vifs)  # drivers come first
        and one.name not in facts.dedicated
    ]
    if not guests:
        return
    guest = max(guests, key=_bits)
    served = guest.served_percent or 0.0
    first = ({"name": "peth0"},)
    dropped = sum(vif.receive_dropped_per_second or 0 for vif in guest.vifs)
    yield Advice(
        id="network.card",
        title=f"Dedicate a network card to {guest.name}",
        do=(*_hidden(facts), in_file(guest.name, "pci = ['ADDRESS']")),
        where=guest.name,
        why="Domain 0 moves each packet of a guest over the bridge and through a ring, and its "
        "time is everybody's. A guest that drives a card itself needs nobody, nor do others "
        "wait for its packets. It cannot be migrated then.",
        slide=SHARING_SLIDE,
        strength="consider",
        rests_on=(
            Observed("its traffic", round(_bits(guest) / 1e6, 1), "Mbit/s"),
            percent("domain 0 for it", served),
            percent("domain 0 in all", domain0.running_percent),
            *((Observed("packets for it dropped", round(dropped, 1), "1/s"),) if dropped else ()),
        ),
        change=Change(
            (
                Setting(
                    ("host", "nic"),
                    {"name": "eth1", "dedicated_to": guest.name},
                    is_added=True,
                    before=first,
                ),
            ),
            (
                gauges.processor(DOMAIN_0),
                *((gauges.dropped(guest.name),) if dropped else ()),
            ),
            helped=(guest.name, DOMAIN_0),
        ),
    )


def _hidden(facts: Facts) -> tuple[Command, ...]:
    """Return what keeps domain 0 from a card; in RHEL 5 as its Virtualization Guide says (15.5)."""
    if facts.tool == "xl":
        return managed(facts, "pci-assignable-add", "ADDRESS")
    where = f"/etc/modprobe.conf of {DOMAIN_0}, from its next boot on"
    install = "/sbin/modprobe pciback; /sbin/modprobe --first-time --ignore-install DRIVER"
    return (
        Command(where, f"install DRIVER {install}"),
        Command(where, "options pciback hide=(ADDRESS)"),
    )


def inner(facts: Facts) -> Iterator[Advice]:
    """Advise a bridge without a card for traffic that stays in the host."""
    for one, other in facts.inner_streams:
        yield Advice(
            id="network.inner",
            title=f"Give {one} and {other} a bridge of their own, without a card",
            do=(
                *in_domain0("brctl addbr inner", "ifconfig inner up"),
                *managed(facts, "network-attach", one, "bridge=inner"),
                *managed(facts, "network-attach", other, "bridge=inner"),
            ),
            where=f"{one}, {other}",
            why="What two guests say to each other need not be on the bridge of the card: there "
            "others may hear it, and what others send is looked at by both.",
            slide=SHARING_SLIDE,
            strength="check",
            unmeasured="it keeps traffic apart, and is no faster: the bridge never sent it out",
        )
