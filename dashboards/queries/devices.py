"""Queries on domain 0's own devices: physical network interfaces, bridges and disks."""

from collections.abc import Mapping

from dashboards.promql import HOST, Query, now, rate, table, total


def _sent(metric: str, factor: int = -1) -> str:
    return f"{factor} * {rate(metric, 'nic', HOST)}"


_OPERATIONS = " + ".join(
    rate(f"xen_disk_{way}_operations_total", "disk", HOST) for way in ("read", "write")
)
_BITS = f"8 * ({rate('xen_nic_receive_bytes_total', 'nic', HOST)})"

# fmt: off
QUERIES: Mapping[str, Query] = {
    "nic_receive": Query(_BITS, "{{nic}} receive"),
    "nic_transmit": Query(_sent("xen_nic_transmit_bytes_total", -8), "{{nic}} transmit"),
    "nic_used": now(Query(
        f"({rate('xen_nic_receive_bytes_total', 'nic', HOST)}) / "
        f"{total('xen_nic_speed_bytes', 'nic', HOST)}", "{{nic}} receive")),
    "nic_transmit_used": now(Query(
        f"({rate('xen_nic_transmit_bytes_total', 'nic', HOST)}) / "
        f"{total('xen_nic_speed_bytes', 'nic', HOST)}", "{{nic}} transmit")),
    "nic_packets_receive": Query(
        rate("xen_nic_receive_packets_total", "nic", HOST), "{{nic}} receive"),
    "nic_packets_transmit": Query(_sent("xen_nic_transmit_packets_total"), "{{nic}} transmit"),
    "nic_errors_receive": Query(
        rate("xen_nic_receive_errors_total", "nic", HOST), "{{nic}} receive errors"),
    "nic_errors_transmit": Query(
        rate("xen_nic_transmit_errors_total", "nic", HOST), "{{nic}} transmit errors"),
    "nic_dropped_receive": Query(
        rate("xen_nic_receive_dropped_total", "nic", HOST), "{{nic}} receive drops"),
    "nic_dropped_transmit": Query(
        rate("xen_nic_transmit_dropped_total", "nic", HOST), "{{nic}} transmit drops"),
    "nic_table": table(total("xen_nic_info", "nic, bridge", HOST)),
    "bridge_ports": table(total("xen_bridge_ports", "bridge", HOST)),
    "bridge_packets": Query(
        rate("xen_bridge_forwarded_packets_total", "bridge", HOST), "{{bridge}}"),
    "bridge_bits": Query(
        f"8 * {rate('xen_bridge_forwarded_bytes_total', 'bridge', HOST)}", "{{bridge}}"),
    "bridge_dropped": Query(
        rate("xen_bridge_dropped_packets_total", "bridge", HOST), "{{bridge}} drops"),
    "physical_read": Query(rate("xen_disk_read_bytes_total", "disk", HOST), "{{disk}} read"),
    "physical_write": Query(
        f"-1 * {rate('xen_disk_write_bytes_total', 'disk', HOST)}", "{{disk}} write"),
    "physical_operations": Query(_OPERATIONS, "{{disk}}"),
    "physical_busy": Query(rate("xen_disk_busy_seconds_total", "disk", HOST), "{{disk}}"),
    "physical_wait": Query(
        f"({rate('xen_disk_wait_seconds_total', 'disk', HOST)}) / (({_OPERATIONS}) > 0)",
        "{{disk}}"),
    "physical_in_flight": Query(
        total("xen_disk_in_flight_requests", "disk", HOST), "{{disk}}"),
}
# fmt: on
