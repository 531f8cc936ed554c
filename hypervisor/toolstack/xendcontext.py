"""Holds what every part and operation of xend works with."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hypervisor.errors import Refused, UnknownDomain
from hypervisor.toolstack.domaininfo import DomainInfo
from hypervisor.toolstack.hypercalls import Hypervisor
from hypervisor.toolstack.records.operationlog import OperationLog
from hypervisor.toolstack.records.xendlog import XendLog
from hypervisor.toolstack.timers import Timers
from hypervisor.toolstack.xenstore import Xenstore

EVENTS = (
    *("created", "restored", "restarted", "destroyed", "shut_down", "crashed", "saved"),
    *("core_dumped", "vcpus_set", "balloon_target_set", "device_attached", "device_detached"),
)
"""The counted operations on domains."""


@dataclass(slots=True)
class XendContext:
    """The domains that xend knows, by id, and what acts on them."""

    hypervisor: Hypervisor
    store: Xenstore
    timers: Timers
    log: XendLog
    draw: random.Random  # uuids and MAC addresses
    tools: str  # 3.0.3 | 3.1
    unix_ns: Callable[[], int]
    minimum_domain0_kib: int = 256 * 1024  # dom0-min-mem of RHEL 5's xend-config.sxp
    support_limits: bool = True
    bridges: tuple[str, ...] = ()  # beside those that RHEL 5 has
    interfaces: Mapping[str, str] = field(default_factory=dict)  # domain 0's own: what they are
    infos: dict[int, DomainInfo] = field(default_factory=dict)
    devices: set[str] = field(default_factory=set)  # additional block devices of domain 0
    events: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(EVENTS, 0)))
    being_written: set[str] = field(default_factory=set)  # files that a save will replace
    reserved: dict[str, str] = field(default_factory=dict)  # uuids of new domains by name
    domain0_root: Path | None = None  # where domain 0's files are
    dumps_crashed: bool = False  # domains that crash leave a core: `(enable-dump yes)`
    operations: OperationLog = field(init=False)

    def __post_init__(self) -> None:
        """Begin the records of operations."""
        host = self.hypervisor.physical_info().host
        self.operations = OperationLog(host, self.timers, self.unix_ns() - self.timers.now)

    def find(self, domain: str) -> DomainInfo:
        """Return the domain of this name or id; a number is first tried as a name.

        Raises: UnknownDomain.
        """
        for info in self.infos.values():
            if info.name == domain:
                return info
        if domain.isascii() and domain.isdigit() and len(domain) < 9 and int(domain) in self.infos:
            return self.infos[int(domain)]
        raise UnknownDomain(domain)

    def guest(self, domain: str, verb: str) -> DomainInfo:
        """Return a domain; `verb` says what is to be done to it, which domain 0 refuses.

        Raises: UnknownDomain, Refused.
        """
        info = self.find(domain)
        if info.domid == 0:
            raise Refused(f"Cannot {verb} privileged domain {domain}")
        return info
