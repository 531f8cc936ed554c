"""Queries on virtual block devices; what guests write is drawn downwards."""

from collections.abc import Mapping

from dashboards.promql import DOMAIN, Query, heat, mean, now, quantile, rate, table, total

_DEVICE = "domain, vbd"

# fmt: off
QUERIES: Mapping[str, Query] = {
    "disk_read": Query(rate("xen_vbd_read_bytes_total", "domain"), "{{domain}} read"),
    "disk_write": Query(f"-1 * {rate('xen_vbd_write_bytes_total', 'domain')}", "{{domain}} write"),
    "disk_read_operations": Query(
        rate("xen_vbd_read_operations_total", "domain"), "{{domain}} read"),
    "disk_write_operations": Query(
        f"-1 * {rate('xen_vbd_write_operations_total', 'domain')}", "{{domain}} write"),
    "out_of_requests": Query(
        rate("xen_vbd_out_of_requests_total", "domain"), "{{domain}} disk: blkback"),
    "disk_ring_full": Query(
        rate("xen_vbd_frontend_ring_full_total", "domain"), "{{domain}} disk: ring"),
    "disk_busy": Query(rate("xen_vbd_busy_seconds_total", _DEVICE), "{{domain}} {{vbd}}"),
    "disk_wait": Query(
        mean("xen_vbd_wait_seconds_total", "xen_vbd_answered_operations_total", _DEVICE),
        "{{domain}} {{vbd}}"),
    "disk_in_flight": Query(
        total("xen_vbd_in_flight_requests", _DEVICE), "{{domain}} {{vbd}}"),
    "disk_ring_used": now(Query(
        f"{total('xen_vbd_ring_used', _DEVICE)} / {total('xen_vbd_ring_slots', _DEVICE)}",
        "{{domain}} {{vbd}}")),
    "disk_read_heat": heat("xen_vbd_latency_seconds", f'{DOMAIN},operation="read"'),
    "disk_write_heat": heat("xen_vbd_latency_seconds", f'{DOMAIN},operation="write"'),
    "disk_latency_p99": Query(
        quantile(0.99, "xen_vbd_latency_seconds", "domain, vbd, operation"),
        "{{domain}} {{vbd}} {{operation}}", trace=True),
    "vbd_table": table(total("xen_vbd_info", "domain, vbd, device, backend, mode", DOMAIN)),
}
# fmt: on
