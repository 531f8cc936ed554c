"""Queries on virtual network interfaces; what guests transmit is drawn downwards."""

from collections.abc import Mapping

from dashboards.promql import DOMAIN, Query, now, rate, table, total

_RING = "domain, vif, ring"
_DROP = "domain, direction, reason"

# fmt: off
QUERIES: Mapping[str, Query] = {
    "network_receive": Query(
        f"8 * {rate('xen_vif_receive_bytes_total', 'domain')}", "{{domain}} receive"),
    "network_transmit": Query(
        f"-8 * {rate('xen_vif_transmit_bytes_total', 'domain')}", "{{domain}} transmit"),
    "packets_receive": Query(
        rate("xen_vif_receive_packets_total", "domain"), "{{domain}} receive"),
    "packets_transmit": Query(
        f"-1 * {rate('xen_vif_transmit_packets_total', 'domain')}", "{{domain}} transmit"),
    "network_dropped": Query(rate("xen_vif_receive_dropped_total", "domain"), "{{domain}} drops"),
    "transmit_dropped": Query(
        rate("xen_vif_transmit_dropped_total", "domain"), "{{domain}} transmit drops"),
    "drops_by_reason": Query(
        f"{rate('xen_vif_drops_total', _DROP)} and on (host, {_DROP}) "
        f"({total('xen_vif_drops_total', _DROP)} > 0)",
        "{{domain}} {{direction}}: {{reason}}"),
    "errors_receive": Query(rate("xen_vif_receive_errors_total", "domain"), "{{domain}} receive"),
    "errors_transmit": Query(
        rate("xen_vif_transmit_errors_total", "domain"), "{{domain}} transmit"),
    "network_ring_full": Query(rate("xen_vif_ring_full_total", "domain"), "{{domain}} network"),
    "network_ring_used": now(Query(
        f"{total('xen_vif_ring_used', _RING)} / {total('xen_vif_ring_slots', _RING)}",
        "{{domain}} vif {{vif}} {{ring}}")),
    "rate_limited": Query(
        rate("xen_vif_rate_limited_seconds_total", "domain, vif"), "{{domain}} vif {{vif}}"),
    "vif_table": table(total("xen_vif_info", "domain, vif, interface, mac, bridge", DOMAIN)),
}
# fmt: on
