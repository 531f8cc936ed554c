"""Names metrics that rules use and that the catalogue is about to have, with their labels."""

from collections.abc import Mapping

_D, _V, _N, _B = ("host", "domain"), ("host", "domain", "vcpu"), ("host", "domain", "vif"), (
    "host", "domain", "vbd")  # fmt: skip

COMING: Mapping[str, tuple[str, ...]] = {
    "xen_domain_event_channels": _D,
    "xen_domain_event_channels_limit": _D,
    "xen_domain_grants": _D,
    "xen_domain_grants_limit": _D,
    "xen_domain_balloon_state": (*_D, "state"),
    "xen_vcpu_capped_seconds_total": _V,
    "xen_vcpu_wait_seconds": (*_D, "cause"),
    "xen_vif_drops_total": (*_N, "direction", "reason"),
    "xen_vif_rate_limited_seconds_total": _N,
    "xen_vbd_out_of_requests_total": _B,
    "xen_vbd_frontend_ring_full_total": _B,
    "xen_vbd_ring_used": _B,
    "xen_vbd_ring_slots": _B,
    "xen_vbd_in_flight_requests": _B,
    "xen_vbd_latency_seconds": (*_B, "operation"),
    "xen_disk_busy_seconds_total": ("host", "disk"),
    "xen_profile_events_total": (*_D, "mode", "event", "measures"),
    "xen_profile_overhead_seconds_total": (*_D, "stage"),
    "xenprof_samples_lost_total": (*_D, "stage", "reason"),
    "xenprof_push_failures_total": ("host", "signal"),
    "xenprof_push_dropped_total": ("host", "signal", "reason"),
    "xenprof_push_sent_total": ("host", "signal"),
}
