"""Counts what the credit scheduler does, by the names of the original.

Source: xen/common/sched_credit.c, CSCHED_STATS_EXPAND (3.0.3 and 3.1).
"""

from dataclasses import dataclass, fields
from typing import Final

_ONLY_3_0_3: Final = ("vcpu_migrate", "steal_peer_down", "steal_peer_running", "steal_peer_pinned")
_ONLY_3_1: Final = ("vcpu_park", "vcpu_unpark", "migrate_queued", "migrate_running")


@dataclass(slots=True)
class CreditCounters:
    """The counters of both releases."""

    schedule: int = 0
    acct_run: int = 0
    acct_no_work: int = 0
    acct_balance: int = 0
    acct_reorder: int = 0
    acct_min_credit: int = 0
    acct_vcpu_active: int = 0
    acct_vcpu_idle: int = 0
    vcpu_sleep: int = 0
    vcpu_wake_running: int = 0
    vcpu_wake_onrunq: int = 0
    vcpu_wake_runnable: int = 0
    vcpu_wake_not_runnable: int = 0
    tickle_local_idler: int = 0
    tickle_local_over: int = 0
    tickle_local_under: int = 0
    tickle_local_other: int = 0
    tickle_idlers_none: int = 0
    tickle_idlers_some: int = 0
    load_balance_idle: int = 0
    load_balance_over: int = 0
    load_balance_other: int = 0
    steal_trylock_failed: int = 0
    steal_peer_idle: int = 0
    # 3.0.3
    vcpu_migrate: int = 0
    steal_peer_down: int = 0
    steal_peer_running: int = 0
    steal_peer_pinned: int = 0
    # 3.1
    vcpu_park: int = 0
    vcpu_unpark: int = 0
    migrate_queued: int = 0
    migrate_running: int = 0

    def named(self, names: tuple[str, ...]) -> dict[str, int]:
        """Return the counters of these names, in their order."""
        return {name: getattr(self, name) for name in names}


_NAMES: Final = tuple(field.name for field in fields(CreditCounters))
COUNTERS_3_0_3: Final = tuple(name for name in _NAMES if name not in _ONLY_3_1)
COUNTERS_3_1: Final = tuple(name for name in _NAMES if name not in _ONLY_3_0_3)
