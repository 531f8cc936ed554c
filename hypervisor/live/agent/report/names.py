"""Gives each domain and disk a name of its own, by which series and commands tell it apart."""

from collections import Counter
from typing import Dict, List, Optional, Sequence

from hypervisor.live.agent.oneline import one_line
from hypervisor.live.agent.report.fields import DomainReport, VbdReport


def names_of(domains: Sequence[DomainReport]) -> Dict[int, str]:
    """Return the name of each domain by its id; of several that have one, `NAME (ID)` for each.

    XAPI lets domains share a name, and during a migration within a host two have one with any
    toolstack.
    """
    names = _given(domains)
    holders: Dict[str, List[int]] = {}
    for domid, name in names.items():
        holders.setdefault(name, []).append(domid)
    shared = _shared(names)
    while shared:  # a name could be that of another with its id
        renamed = {domid: f"{name} ({domid})" for name in shared for domid in holders.pop(name)}
        for domid, name in renamed.items():
            holders.setdefault(name, []).append(domid)
        names.update(renamed)
        shared = [name for name in set(renamed.values()) if len(holders[name]) > 1]
    return names


def shared_names(domains: Sequence[DomainReport]) -> List[str]:
    """Return the names that several domains have, in order."""
    names = _given(domains)
    if len(set(names.values())) == len(names):
        return []
    return sorted(_shared(names))


def vbd_names(vbds: Sequence[VbdReport]) -> List[Optional[str]]:
    """Return the name of each disk; None if it has none, or if it is also another's or a number."""
    names = [one_line(one.name or "") for one in vbds]
    uses = Counter([*names, *(str(one.device) for one in vbds)])
    return [name if name and uses[name] == 1 else None for name in names]


def _given(domains: Sequence[DomainReport]) -> Dict[int, str]:
    """Return the names; one without is called as by xend, as xl's (null) is that of several."""
    return {one.domid: one_line(one.name or f"Domain-{one.domid}") for one in domains}


def _shared(names: Dict[int, str]) -> List[str]:
    return [name for name, count in Counter(names.values()).items() if count > 1]
