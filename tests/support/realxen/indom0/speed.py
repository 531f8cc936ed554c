"""Measures what looking at this host costs in processor time, program by program; prints JSON.

It runs in domain 0, with the agent on PYTHONPATH: `python3 speed.py ROUNDS`.
"""

import json
import pathlib
import resource
import subprocess
import sys
import threading
import time

from hypervisor.live.agent.domain0.devices import Devices
from hypervisor.live.agent.domain0.hostfacts import host_facts
from hypervisor.live.agent.domain0.xenstore import Xenstore
from hypervisor.live.agent.polling.host import Poller
from hypervisor.live.agent.process.clock import Clock
from hypervisor.live.agent.sampling.flags import Sampler
from hypervisor.live.agent.xen.hypercalls import Xen
from hypervisor.live.agent.xen.privcmd import PrivcmdDevice

PROGRAMS = ("xentop -b -i 1 -v -n -x", "xl list -l", "xl list", "xl vcpu-list", "/bin/true")
STORE_PID = pathlib.Path("/run/xenstored.pid")
SETTLE_SECONDS = 11  # while a domain is new, each poll looks for its devices
TIMES = 20
ADDITIONS = 200_000


def main(rounds):
    """Measure all things in turn, so many times; print the least of each, in ms."""
    device, clock, store = PrivcmdDevice(), Clock(), Xenstore()
    xen = Xen(device)
    poller = Poller(xen, store, Devices(store), host_facts("/"), clock)
    sampler = Sampler(xen, clock)
    poller.poll()  # what is read once only, like names, belongs to the start
    threading.Event().wait(SETTLE_SECONDS)
    work = {
        "poll": lambda: repeated(poller.poll),
        "sampling": lambda: repeated(sampler.round),
        "python": lambda: repeated(addition, 1),
        **{program: by_child(program) for program in PROGRAMS},
    }
    found = {name: [measure()] for name, measure in work.items()}
    for _ in range(rounds - 1):
        for name, measure in work.items():
            found[name].append(measure())
    calls = xen.calls
    report = poller.poll()
    poll_calls = xen.calls - calls
    sampler.round()
    sys.stdout.write(json.dumps({
        "domains": len(report.domains),
        "vcpus": sum(len(domain.vcpus) for domain in report.domains),
        "poll_hypercalls": poll_calls,
        "sampling_hypercalls": xen.calls - calls - poll_calls,
        "ms": {name: round(min(one), 3) for name, one in found.items()},
        "resident_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }))  # fmt: skip


def repeated(function, times=TIMES):
    """Return the processor time of one call in ms, the least of `times`; and xenstored's for it."""
    found = []
    by_store = store_ms()
    for _ in range(times):
        began = time.thread_time()
        function()
        found.append(time.thread_time() - began)
    return min(found) * 1000 + (store_ms() - by_store) / times


def by_child(program):
    """Return what measures the processor time of a program in ms, and xenstored's for it."""

    def measure():
        before, by_store = resource.getrusage(resource.RUSAGE_CHILDREN), store_ms()
        subprocess.run(program.split(), check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds * 1000 + store_ms() - by_store

    return measure


def store_ms():
    """Return the processor time that xenstored has had, in ms."""
    told = pathlib.Path("/proc", STORE_PID.read_text().strip(), "schedstat").read_text()
    return int(told.split()[0]) / 1e6


def addition():
    """Compute something that tells how fast this Python is."""
    total = 0
    for number in range(ADDITIONS):
        total += number & 7
    return total


if __name__ == "__main__":
    main(int(sys.argv[1]))
