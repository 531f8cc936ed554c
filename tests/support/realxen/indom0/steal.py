"""Samples the flags of vcpus and traces them over the same window; prints both, as JSON.

It runs in domain 0, with the agent on PYTHONPATH: `python3 steal.py SECONDS`.
"""

import json
import sys
import threading
import time

from hypervisor.live.agent.domain0.devices import Devices
from hypervisor.live.agent.domain0.hostfacts import host_facts
from hypervisor.live.agent.domain0.xenstore import Xenstore
from hypervisor.live.agent.polling.host import Poller
from hypervisor.live.agent.process.clock import Clock
from hypervisor.live.agent.sampling.flags import Sampler
from hypervisor.live.agent.sampling.runstates import Runstates
from hypervisor.live.agent.tracing.buffers import RUNSTATES, Tracing
from hypervisor.live.agent.tracing.runstates import Traced
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.privcmd import PrivcmdDevice

HERTZ = 20
SHARE = 0.5  # in an emulator a round takes as much as in hardware a thousand
RING_PAGES = 64  # as other tests have them: their size stays until the host boots
READ_SECONDS, POLL_SECONDS = 0.5, 2.0


def main(seconds: float) -> None:
    """Do it for so many seconds."""
    device, clock, store = PrivcmdDevice(), Clock(), Xenstore()
    sampler = Sampler(Xen(device), clock, HERTZ, SHARE)
    poller = Poller(Xen(device), store, Devices(store), host_facts("/"), clock, Runstates(sampler))
    tracing = Tracing(Xen(device), device)
    traced = Traced(Xen(device).physinfo().khz)
    stop = threading.Event()
    tracing.start(RUNSTATES, pages=RING_PAGES)
    thread = threading.Thread(target=sampler.run, args=(stop,), daemon=True)
    thread.start()
    poller.poll()
    sampler.drain()
    first = poller.poll()
    traced.add(tracing.read())
    traced.add([])  # all that is known up to here
    began = {key: traced.times(*key) for key in _keys(first)}
    end = time.monotonic() + seconds
    next_poll = time.monotonic() + POLL_SECONDS
    while time.monotonic() < end:
        stop.wait(READ_SECONDS)
        traced.add(tracing.read())
        if time.monotonic() >= next_poll:
            poller.poll()
            next_poll += POLL_SECONDS
    last = poller.poll()
    traced.add(tracing.stop())
    traced.add([])
    stop.set()
    thread.join()
    sys.stdout.write(json.dumps({
        "seconds": (last.time_ns - first.time_ns) / 1e9,
        "read_seconds": [first.read_ns / 1e9, last.read_ns / 1e9],
        "rounds": sampler.cost().rounds,
        "skipped": sampler.cost().skipped,
        "lost": traced.lost,
        "vcpus": list(_rows(first, last, began, traced)),
    }))  # fmt: skip


def _keys(report):
    return [(domain.domid, vcpu.vcpu) for domain in report.domains for vcpu in domain.vcpus]


def _rows(first, last, began, traced):
    """Yield for each vcpu its shares of the time, in percent, by both."""
    before = {(domain.domid, vcpu.vcpu): vcpu for domain in first.domains for vcpu in domain.vcpus}
    for domain in last.domains:
        for vcpu in domain.vcpus:
            key = (domain.domid, vcpu.vcpu)
            then, times, earlier = before[key], traced.times(*key), began[key]
            if vcpu.runnable_ns is None or times is None or not vcpu.online:
                continue
            sampled = [
                getattr(vcpu, name) - (getattr(then, name) or 0)
                for name in ("cpu_ns", "runnable_ns", "blocked_ns", "offline_ns", "capped_ns")
            ]
            exact = [now - (earlier[at] if earlier else 0) for at, now in enumerate(times)]
            yield {
                "domain": domain.name, "vcpu": vcpu.vcpu, "is_capped": bool(domain.cap_percent),
                "sampled": _percents(
                    ("running", "runnable", "blocked", "offline", "capped"), sampled
                ),
                "traced": _percents(("running", "runnable", "blocked", "offline"), exact),
            }  # fmt: skip


def _percents(names, times):
    whole = sum(times) or 1
    return {
        "seconds": round(whole / 1e9, 2),
        **{name: round(100 * one / whole, 1) for name, one in zip(names, times, strict=True)},
    }


main(float(sys.argv[1]))
