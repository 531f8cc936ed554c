"""Declares the kinds of data that a host may report, and where a host can have them from."""

from typing import Final

DATA_KINDS: Final = (
    "vcpu_time",  # running time of domains and vcpus
    "runstates",  # the times of a vcpu in each state, capped time included
    "waits",  # histograms of waits for a pcpu
    "scheduler",  # weight, cap, credit, priority, switches, boosts, migrations, steals
    "memory",
    "balloon",
    "vif",
    "vbd",
    "guest_kernel",  # what a guest counts of itself: load, interrupts, swap, OOM kills
    "nic",
    "disk",
    "bridge",
    "hypercalls",
    "event_channels",
    "grants",
    "toolstack",
    "profile",
    "trace",
)
"""The keys of `HostSnapshot.sources`."""

DATA_SOURCES: Final = ("model", "hypercall", "trace", "sampled", "xenstore", "sysfs")
"""Its values: model (measured in a simulated host), hypercall (asked of the hypervisor), trace
(added up from trace records), sampled (estimated from samples), xenstore, sysfs (read there)."""
