"""Cases of alerts about disks, networks, event channels and grants."""

from tests.support.alert_cases.case import Case, Series, counting, domain, flat

WEB = domain("web")
VBD = f'{WEB},vbd="xvda"'
VIF = f'{WEB},vif="0"'


def latency(slow_share: float) -> Series:
    """Return the reads of a disk, of which so many take from 300 ms to 1 s."""
    bucket = f'xen_vbd_latency_seconds_bucket{{{VBD},operation="read",le="%s"}}'
    return {
        bucket % "0.3": counting(100 * (1 - slow_share)),
        bucket % "1": counting(100),
        bucket % "+Inf": counting(100),
    }


def packets(dropped_per_second: float) -> Series:
    drops = f'xen_vif_drops_total{{{VIF},direction="%s",reason="%s"}}'
    return {
        f"xen_vif_receive_packets_total{{{VIF}}}": counting(600),
        f"xen_vif_transmit_packets_total{{{VIF}}}": counting(380),
        drops % ("receive", "ring_full"): counting(dropped_per_second),
        drops % ("transmit", "queue_full"): counting(0),
    }


def used(what: str, count: int, limit: int) -> Series:
    return {
        f"xen_domain_{what}{{{WEB}}}": flat(count),
        f"xen_domain_{what}_limit{{{WEB}}}": flat(limit),
    }


CASES = (
    Case(
        "XenBlkbackOutOfRequests",
        firing={f"xen_vbd_out_of_requests_total{{{VBD}}}": counting(12.5)},
        quiet={f"xen_vbd_out_of_requests_total{{{VBD}}}": counting(0.5)},
        labels={"domain": "web", "vbd": "xvda"},
        summary="xvda of web on h waited for a free request of blkback, 12.5 per second",
    ),
    Case(
        "XenDiskRingFull",
        firing={f"xen_vbd_frontend_ring_full_total{{{VBD}}}": counting(30)},
        quiet={f"xen_vbd_frontend_ring_full_total{{{VBD}}}": counting(5)},
        labels={"domain": "web", "vbd": "xvda"},
        summary="The ring of xvda of web on h was full, 30.0 per second",
    ),
    Case(
        "XenNetworkRingFull",
        firing={f"xen_vif_ring_full_total{{{VIF}}}": counting(150)},
        quiet={f"xen_vif_ring_full_total{{{VIF}}}": counting(50)},
        labels={"domain": "web", "vif": "0"},
        summary="The transmit ring of interface 0 of web on h was full, 150.0 per second",
    ),
    Case(
        "XenDiskLatencyHigh",
        firing=latency(0.02),  # 98 below 300 ms: the 99th is in the middle of the slow two
        quiet=latency(0),
        labels={"domain": "web", "vbd": "xvda", "operation": "read"},
        summary="One read in a hundred of xvda of web on h takes more than 650ms",
    ),
    Case(
        "XenPacketsDropped",
        firing=packets(20),
        quiet=packets(5),
        labels={"domain": "web", "vif": "0"},
        summary="2% of the packets of interface 0 of web on h are dropped",
    ),
    Case(
        "XenRateLimitBiting",
        firing={f"xen_vif_rate_limited_seconds_total{{{VIF}}}": counting(0.5)},
        quiet={f"xen_vif_rate_limited_seconds_total{{{VIF}}}": counting(0.05)},
        labels={"domain": "web", "vif": "0"},
        summary="The rate limit of interface 0 of web on h held packets back for 50% of the time",
    ),
    Case(
        "XenEventChannelsNearLimit",
        firing=used("event_channels", 3584, 4096),
        quiet=used("event_channels", 3072, 4096),
        labels={"domain": "web"},
        summary="web on h uses 87.5% of the event channels that it can have",
    ),
    Case(
        "XenGrantsNearLimit",
        firing=used("grants", 1843, 2048),
        quiet=used("grants", 1536, 2048),
        labels={"domain": "web"},
        summary="web on h uses 89.99% of the grants that it can give",
    ),
)
