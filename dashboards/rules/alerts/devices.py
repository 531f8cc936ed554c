"""Alerts about disks, networks, and what connects guests with domain 0."""

from dashboards.rules.recordings import rate
from dashboards.rules.rule import Alert, Severity, Unit

_BLOCKS = ("xm block-list $domain", "its block devices and their backends")
_BLOCK_LOAD = ("xentop -b -x -i 2 -d 5", "reads, writes and VBD_OO of each device")
_IN_DOMAIN0 = ("echo 'iostat -x 1 3' | xenprof console Domain-0", "the disks below, in domain 0")
_IN_GUEST = ("echo 'iostat -x 1 3' | xm console $domain", "await and queue, as the guest has them")
_INTERFACES = ("xm network-list $domain", "its interfaces and their rings")
_NETWORK_LOAD = ("xentop -b -n -i 2 -d 5", "packets, drops and errors of each interface")

_THE_DOMAIN = 'host="$host",domain="$domain"'
_THE_VBD = f'{_THE_DOMAIN},vbd="$vbd"'
_THE_VIF = f'{_THE_DOMAIN},vif="$vif"'


def _used(what: str, labels: str = "") -> str:
    of = f"{{{labels}}}" if labels else ""
    return f"max by (host, domain) (xen_domain_{what}{of} / xen_domain_{what}_limit)"


_OUT_OF_REQUESTS = rate("xen_vbd_out_of_requests_total", "domain, vbd")
_VBD_RING_FULL = rate("xen_vbd_frontend_ring_full_total", "domain, vbd")
_VIF_RING_FULL = rate("xen_vif_ring_full_total", "domain, vif")

ALERTS = (
    Alert(
        name="XenBlkbackOutOfRequests",
        severity=Severity.WARNING,
        for_minutes=5,
        unit=Unit.PER_SECOND,
        expr=f"{_OUT_OF_REQUESTS} > 1",
        summary="$vbd of $domain on $host waited for a free request of blkback, $value",
        meaning="Domain 0's block backend has a fixed number of requests for all guests together "
        "(64 in Xen 3.0.3). They were all in use, so guests' requests lay in their rings. xentop "
        "shows this as VBD_OO.",
        cause="A slow disk below, or one guest with deep queues that takes the requests of all.",
        threshold="More than one a second for 5 minutes: our own judgement.",
        queries=(f"topk by (host) (5, {_OUT_OF_REQUESTS})", "xen_vbd_in_flight_requests"),
        look=(_BLOCK_LOAD, _IN_DOMAIN0, _BLOCKS),
        act=(("", "Put the busiest device on a disk of its own, or make its guest queue less."),),
        helped=f"{rate('xen_vbd_out_of_requests_total', 'domain, vbd', _THE_VBD)} <= 1",
    ),
    Alert(
        name="XenDiskRingFull",
        severity=Severity.WARNING,
        for_minutes=10,
        unit=Unit.PER_SECOND,
        expr=f"{_VBD_RING_FULL} > 10",
        summary="The ring of $vbd of $domain on $host was full, $value",
        meaning="The guest has more requests than the ring between it and domain 0 can hold (32), "
        "so it holds them back itself. More queue depth in the guest changes nothing.",
        cause="The disk is slower than the guest asks; see XenDiskLatencyHigh.",
        threshold="More than ten a second for 10 minutes: our own judgement.",
        queries=(_VBD_RING_FULL, "xen_vbd_ring_used / xen_vbd_ring_slots"),
        look=(_IN_GUEST, _BLOCK_LOAD, _IN_DOMAIN0),
        act=(("", "Lower the load of the guest's programs, or give it a faster disk."),),
        helped=f"{rate('xen_vbd_frontend_ring_full_total', 'domain, vbd', _THE_VBD)} <= 10",
    ),
    Alert(
        name="XenNetworkRingFull",
        severity=Severity.WARNING,
        for_minutes=10,
        unit=Unit.PER_SECOND,
        expr=f"{_VIF_RING_FULL} > 100",
        summary="The transmit ring of interface $vif of $domain on $host was full, $value",
        meaning="The guest sends faster than domain 0 takes its packets: its queue stops, and goes "
        "on when there is room again.",
        cause="Domain 0 does not get a processor in time, is saturated, or a rate limit holds the "
        "packets back.",
        threshold="More than a hundred a second for 10 minutes: our own judgement, since a stream "
        "at full speed stops now and then.",
        queries=(_VIF_RING_FULL, 'xen:domain_steal:ratio_rate5m{domain="Domain-0"}'),
        look=(_NETWORK_LOAD, _INTERFACES, ("xm sched-credit -d Domain-0", "domain 0's weight")),
        act=(
            ("xm sched-credit -d Domain-0 -w 512", "lets domain 0 run before the guests"),
            ("", "Where a rate limit is set, see XenRateLimitBiting."),
        ),
        helped=f"{rate('xen_vif_ring_full_total', 'domain, vif', _THE_VIF)} <= 100",
    ),
    Alert(
        name="XenDiskLatencyHigh",
        severity=Severity.WARNING,
        for_minutes=10,
        unit=Unit.SECONDS,
        expr="xen:vbd_latency_seconds:p99_rate5m > 0.3",
        summary="One $operation in a hundred of $vbd of $domain on $host takes more than $value",
        meaning="From the guest's queue to the answer; waiting in the guest, in the ring and in "
        "domain 0 is in it.",
        cause="The disk has more to do than it can, another guest uses the same one, or domain 0 "
        "does not get a processor.",
        threshold="A 99th percentile above 300 ms, a bound of the histogram, for 10 minutes: our "
        "own judgement, thirty times what a disk of such a host needs for one request.",
        queries=(
            "topk by (host) (5, xen:vbd_latency_seconds:p99_rate5m)",
            "rate(xen_disk_busy_seconds_total[5m])",
        ),
        look=(_IN_DOMAIN0, _IN_GUEST, _BLOCK_LOAD, _BLOCKS),
        act=(
            ("", "Move one of the guests that share the disk, or limit what its programs ask for."),
            ("xm sched-credit -d Domain-0 -w 512", "if domain 0 waits for a processor"),
        ),
        helped='xen:vbd_latency_seconds:p99_rate5m{host="$host",domain="$domain",vbd="$vbd",'
        'operation="$operation"} <= 0.3',
    ),
    Alert(
        name="XenPacketsDropped",
        severity=Severity.WARNING,
        for_minutes=10,
        unit=Unit.RATIO,
        expr="xen:vif_dropped:ratio_rate5m > 0.01",
        summary="$value of the packets of interface $vif of $domain on $host are dropped",
        meaning="Lost packets are sent again after a wait, so streams are much slower than the "
        "share suggests.",
        cause="The guest does not run when packets come, so its receive ring is full; or domain 0 "
        "is overloaded. The label reason of xen_vif_drops_total tells which.",
        threshold="More than 1 % for 10 minutes: the share at which node_exporter's mixin warns of "
        "errors of interfaces.",
        queries=(
            f"sum by (direction, reason) (rate(xen_vif_drops_total{{{_THE_DOMAIN}}}[5m]))",
            'xen:domain_wait_seconds:p99_rate5m{host="$host",domain="$domain"}',
        ),
        look=(_NETWORK_LOAD, _INTERFACES, ("xm vcpu-list $domain", "whether the guest runs")),
        act=(
            ("xm sched-credit -d $domain -w 512", "if the guest waits for a processor"),
            ("", "If domain 0 is the one that waits or is full, see XenDomain0Saturated."),
        ),
        helped=f"xen:vif_dropped:ratio_rate5m{{{_THE_VIF}}} <= 0.01",
    ),
    Alert(
        name="XenRateLimitBiting",
        severity=Severity.INFO,
        for_minutes=15,
        unit=Unit.RATIO,
        expr="xen:vif_rate_limited:ratio_rate5m > 0.1",
        summary="The rate limit of interface $vif of $domain on $host held packets back for $value "
        "of the time",
        meaning="The guest sends more than its interface may. Nothing is lost: the packets wait in "
        "the guest.",
        cause="rate= in the domain's file, or of network-attach, and a load that has grown.",
        threshold="A tenth of the time for 15 minutes: our own judgement.",
        queries=(
            'xen:vif_rate_limited:ratio_rate5m{host="$host",domain="$domain"}',
            '8 * rate(xen_vif_transmit_bytes_total{host="$host",domain="$domain"}[5m])',
        ),
        look=(
            (
                "xenprof xenstore-ls /local/domain/0/backend/vif",
                "rate: bytes in so many microseconds",
            ),
            _NETWORK_LOAD,
        ),
        act=(
            ("xm network-attach $domain bridge=xenbr0 rate=100MB/s", "gives it another interface"),
            ("", "If the limit is what was sold, tell the owner."),
        ),
        helped=f"xen:vif_rate_limited:ratio_rate5m{{{_THE_VIF}}} <= 0.1",
    ),
    Alert(
        name="XenEventChannelsNearLimit",
        severity=Severity.WARNING,
        for_minutes=10,
        unit=Unit.RATIO,
        expr=f"{_used('event_channels')} > 0.8",
        summary="$domain on $host uses $value of the event channels that it can have",
        meaning="Every device and every pair of vcpus needs channels. Without free ones no device "
        "can be attached, and in domain 0 no domain created.",
        cause="Very many domains or devices; or a backend that does not give channels back.",
        threshold="More than 80 % for 10 minutes: our own judgement.",
        queries=("topk by (host) (5, xen_domain_event_channels)", "count by (host) (xen_vif_info)"),
        look=(
            ("xm list", "how many domains there are"),
            ("xm block-list $domain", "the devices of the domain"),
        ),
        act=(("", "Move domains to another host before more are created here."),),
        helped=f"{_used('event_channels', _THE_DOMAIN)} <= 0.8",
    ),
    Alert(
        name="XenGrantsNearLimit",
        severity=Severity.WARNING,
        for_minutes=10,
        unit=Unit.RATIO,
        expr=f"{_used('grants')} > 0.8",
        summary="$domain on $host uses $value of the grants that it can give",
        meaning="A guest grants a page to domain 0 for each request and each packet. Without free "
        "grants its devices stop.",
        cause="Many interfaces and disks that are all busy, or grants that are not ended.",
        threshold="More than 80 % for 10 minutes: our own judgement.",
        queries=("topk by (host) (5, xen_domain_grants)",),
        look=(_INTERFACES, _BLOCKS, ("xm dmesg", "what the hypervisor says of grants")),
        act=(("", "Take devices away that the guest does not need, or restart the guest."),),
        helped=f"{_used('grants', _THE_DOMAIN)} <= 0.8",
    ),
)
