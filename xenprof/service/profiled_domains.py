"""Chooses the domains that the service profiles by itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypervisor.errors import UnknownDomain
from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from xenprof.errors import UsageError
from xenprof.home import DOMAIN_0_ID

ALL = "all"
MOST_LISTED = 25
"""The longest list of domains that Xenoprof takes, with domain 0. Source: MAX_OPROF_DOMAINS."""


@dataclass(frozen=True, slots=True)
class ProfiledDomains:
    """The ids of the domains to profile: domain 0 and the others that take part; passive ones."""

    active: tuple[int, ...]
    passive: tuple[int, ...]

    @property
    def domids(self) -> frozenset[int]:
        """Return all ids."""
        return frozenset(self.active + self.passive)


class ProfiledNames:
    """The domains that a user named, `all` or some. They are followed by name, not by id."""

    def __init__(self, snapshot: HostSnapshot, active: str, passive: str | None) -> None:
        """`active`, `passive`: `all`, or names and ids with commas between.

        All active: those that have a driver, and the fully virtualized ones are passive unless
        `passive` says another thing. All passive: those that are not active.
        Raises: UnknownDomain; UsageError: a domain that cannot be so, or is to be both.
        """
        self._all_active = active == ALL
        self._all_passive = passive == ALL
        self._active = set() if self._all_active else _names(snapshot, active)
        some_passive = passive is not None and not self._all_passive
        self._passive = _names(snapshot, passive or "") if some_passive else set()
        self._takes_hvm = self._all_active and passive is None
        for domain in snapshot.domains:
            if domain.name in self._active and domain.kind == "hvm":
                raise UsageError(
                    f"--active: {domain.name} is fully virtualized and can only be passive"
                )
            if domain.name in self._passive and domain.domid == DOMAIN_0_ID:
                raise UsageError("--passive: domain 0 takes part in every profile")
        if both := sorted(self._active & self._passive):
            raise UsageError(f"{both[0]} cannot be both active and passive")

    def renamed(self, old: str, new: str) -> None:
        """Follow a domain that has got another name."""
        for names in (self._active, self._passive):
            if old in names:
                names.discard(old)
                names.add(new)

    def find(self, snapshot: HostSnapshot) -> ProfiledDomains:
        """Return the domains that can be profiled now; of too many, those of the lowest ids."""
        active, passive = [DOMAIN_0_ID], []
        for domain in sorted(snapshot.domains, key=_domid):
            if domain.domid == DOMAIN_0_ID or not _runs(domain):
                continue
            is_hvm = domain.kind == "hvm"
            if domain.name in self._active or (
                self._all_active and not is_hvm and domain.name not in self._passive
            ):
                active.append(domain.domid)
            elif domain.name in self._passive or self._all_passive or (self._takes_hvm and is_hvm):
                passive.append(domain.domid)
        return ProfiledDomains(tuple(active[:MOST_LISTED]), tuple(passive[:MOST_LISTED]))


def names_by_id(snapshot: HostSnapshot) -> Mapping[int, str]:
    """Return the names of the domains there are."""
    return {domain.domid: domain.name for domain in snapshot.domains}


def _names(snapshot: HostSnapshot, words: str) -> set[str]:
    found = set()
    for word in words.split(","):
        if not word.strip():
            raise UnknownDomain(word.strip())
        found.add(snapshot.find(word.strip()).name)
    return found


def _runs(domain: DomainSnapshot) -> bool:
    """Return whether a daemon of a domain would get on; a paused one joins when it runs again."""
    return not (domain.paused or domain.shutdown or domain.crashed or domain.dying)


def _domid(domain: DomainSnapshot) -> int:
    return domain.domid
