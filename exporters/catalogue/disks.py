"""Metrics of block devices of domains, and of the physical disks of domain 0."""

from collections.abc import Iterator

from exporters.catalogue.network import slots, used
from exporters.labels import (
    BACKEND,
    BLOCK_OPERATION,
    DEVICE,
    DISK,
    DOMAIN,
    READ,
    VBD,
    VBD_MODE,
    WRITE,
)
from exporters.metric import (
    NS_PER_SECOND,
    Distribution,
    Kind,
    Metric,
    Point,
    bounds_of,
    distribution,
)
from exporters.scopes import DISKS as PHYSICAL
from exporters.scopes import VBDS, each_domain, of, parts_of, vbd_label
from hypervisor.telemetry import BLOCK_BUCKETS_NS, Histogram, HostSnapshot
from xenprof.service.exporter import ServiceStats

COUNTER, UPDOWN, INFO, HISTOGRAM = Kind.COUNTER, Kind.UPDOWN, Kind.INFO, Kind.HISTOGRAM

LATENCY_BOUNDS = bounds_of(BLOCK_BUCKETS_NS)


def vbd_info(host: HostSnapshot, _: ServiceStats, /) -> Iterator[Point]:
    """Yield points by domain and the properties of the disk."""
    for domain in each_domain(host):
        for vbd in domain.vbds:
            known = (str(vbd.device), vbd.backend or "", vbd.mode or "")
            yield (domain.name, vbd_label(vbd), *known), 1


def _latency(durations: Histogram | None) -> Distribution | None:
    return None if durations is None else distribution(durations)


# fmt: off
DISKS: tuple[Metric, ...] = (
    # Block devices, as the guest counts them; out of requests is what blkback counts.
    Metric("xen_vbd_info", "xen.vbd.info", INFO, "1",
           "A virtual block device: xenstore number, backend and mode (r, w). In the model, "
           "a backend without a store of its own is on the disk sda.",
           (DOMAIN, VBD, DEVICE, BACKEND, VBD_MODE), vbd_info),
    Metric("xen_vbd_read_bytes_total", "xen.vbd.io", COUNTER, "By",
           "Bytes that the guest read.", (DOMAIN, VBD), of(VBDS, lambda v: v.read_bytes), READ),
    Metric("xen_vbd_write_bytes_total", "xen.vbd.io", COUNTER, "By",
           "Bytes that the guest wrote.", (DOMAIN, VBD), of(VBDS, lambda v: v.write_bytes), WRITE),
    Metric("xen_vbd_read_operations_total", "xen.vbd.operations", COUNTER, "{operation}",
           "Read requests of the guest (VBD_RD of xentop).", (DOMAIN, VBD),
           of(VBDS, lambda v: v.read_requests), READ),
    Metric("xen_vbd_write_operations_total", "xen.vbd.operations", COUNTER, "{operation}",
           "Write requests of the guest (VBD_WR of xentop).", (DOMAIN, VBD),
           of(VBDS, lambda v: v.write_requests), WRITE),
    Metric("xen_vbd_answered_operations_total", "xen.vbd.answered_operations", COUNTER,
           "{operation}", "Requests that were answered: those of xen_vbd_wait_seconds_total.",
           (DOMAIN, VBD), of(VBDS, lambda v: v.answered_requests)),
    Metric("xen_vbd_latency_seconds", "xen.vbd.latency", HISTOGRAM, "s",
           "How long requests took, from the guest's queue to the answer.",
           (DOMAIN, VBD, BLOCK_OPERATION),
           parts_of(VBDS, {"read": lambda v: _latency(v.read_latency),
                           "write": lambda v: _latency(v.write_latency)}), bounds=LATENCY_BOUNDS),
    Metric("xen_vbd_in_flight_requests", "xen.vbd.in_flight_requests", UPDOWN, "{request}",
           "Requests of the guest that have no answer yet, in its queue or given to the backend.",
           (DOMAIN, VBD), of(VBDS, lambda v: v.in_flight_requests)),
    Metric("xen_vbd_ring_used", "xen.vbd.ring_used", UPDOWN, "{slot}",
           "Requests in the ring of the device that the backend has not answered.", (DOMAIN, VBD),
           of(VBDS, lambda v: used(v.ring))),
    Metric("xen_vbd_ring_slots", "xen.vbd.ring_slots", UPDOWN, "{slot}",
           "Slots of the ring of the device.", (DOMAIN, VBD), of(VBDS, lambda v: slots(v.ring))),
    Metric("xen_vbd_out_of_requests_total", "xen.vbd.out_of_requests", COUNTER, "{wait}",
           "Times a request had to wait because blkback had no free one (VBD_OO of xentop).",
           (DOMAIN, VBD), of(VBDS, lambda v: v.out_of_requests)),
    Metric("xen_vbd_frontend_ring_full_total", "xen.vbd.frontend_ring_full", COUNTER, "{stop}",
           "Times the guest's block queue stopped because the ring had no free slot.",
           (DOMAIN, VBD), of(VBDS, lambda v: v.frontend_ring_full)),
    Metric("xen_vbd_busy_seconds_total", "xen.vbd.busy", COUNTER, "s",
           "Time with at least one request of the guest under way (%util of the guest's iostat).",
           (DOMAIN, VBD), of(VBDS, lambda v: v.busy_ns, per=NS_PER_SECOND)),
    Metric("xen_vbd_wait_seconds_total", "xen.vbd.wait", COUNTER, "s",
           "Time that all answered requests together took, from the guest's queue to the answer; "
           "divided by xen_vbd_answered_operations_total, await of the guest's iostat.",
           (DOMAIN, VBD), of(VBDS, lambda v: v.wait_ns, per=NS_PER_SECOND)),
    # Physical disks, as domain 0's /proc/diskstats has them.
    Metric("xen_disk_read_bytes_total", "system.disk.io", COUNTER, "By",
           "Bytes read from a physical disk of domain 0.", (DISK,),
           of(PHYSICAL, lambda d: d.read_bytes), READ),
    Metric("xen_disk_write_bytes_total", "system.disk.io", COUNTER, "By",
           "Bytes written to a physical disk of domain 0.", (DISK,),
           of(PHYSICAL, lambda d: d.write_bytes), WRITE),
    Metric("xen_disk_read_operations_total", "system.disk.operations", COUNTER, "{operation}",
           "Reads that a physical disk of domain 0 has done.", (DISK,),
           of(PHYSICAL, lambda d: d.read_requests), READ),
    Metric("xen_disk_write_operations_total", "system.disk.operations", COUNTER, "{operation}",
           "Writes that a physical disk of domain 0 has done.", (DISK,),
           of(PHYSICAL, lambda d: d.write_requests), WRITE),
    Metric("xen_disk_busy_seconds_total", "system.disk.io_time", COUNTER, "s",
           "Time that a physical disk of domain 0 had a request to do.", (DISK,),
           of(PHYSICAL, lambda d: d.busy_ns, per=NS_PER_SECOND)),
    Metric("xen_disk_wait_seconds_total", "xen.disk.wait", COUNTER, "s",
           "Time that all requests to a physical disk together took, queueing included.", (DISK,),
           of(PHYSICAL, lambda d: d.wait_ns, per=NS_PER_SECOND)),
    Metric("xen_disk_in_flight_requests", "xen.disk.in_flight_requests", UPDOWN, "{request}",
           "Requests to a physical disk of domain 0 that are under way.", (DISK,),
           of(PHYSICAL, lambda d: d.in_flight_requests)),
)
# fmt: on
