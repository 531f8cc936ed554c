"""Same scenario, seed and commands: the same host, whatever the hash seed; copies run on alike."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from hypervisor.model.codebook.work import KERNEL
from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import load_scenario
from tests.support.copying import copied
from tests.support.model.hosts import (
    MS,
    SECOND,
    burst,
    cpu,
    domain,
    fileio,
    make_host,
    netperf,
    times_ns,
)
from tests.support.paths import ROOT

EVENTS = {0: (0x1D, 1), 3: (0x23, 1)}  # of a P4: GLOBAL_POWER_EVENTS, ITLB_REFERENCE


def grumble(seed=1):
    scenario = load_scenario("grumble")
    host = scenario.host.model_copy(update={"seed": seed})
    return build(scenario.model_copy(update={"host": host}), epoch_ns=0)


def profile(host, domids):
    """Start sampling in `domids` as their tools do."""
    driver = host.profiler.oprofile("0")
    for counter, (event, mask) in EVENTS.items():
        settings = {
            "enabled": 1,
            "event": event,
            "unit_mask": mask,
            "count": 100_000,
            "kernel": 1,
            "user": 1,
        }
        for name, value in settings.items():
            driver.write(f"{counter}/{name}", str(value))
    driver.write("active_domains", ",".join(map(str, domids)))
    for domid in domids:
        host.profiler.oprofile(str(domid)).open_buffer()
    driver.write("enable", "1")


def run_commands(host):
    host.advance(300 * MS)
    host.toolstack.domains.pause("ossvm02")
    host.advance(700 * MS)
    host.toolstack.domains.unpause("ossvm02")
    host.toolstack.resources.set_memory("DesktopVM", 300)
    host.toolstack.domains.create(
        {"name": "new", "memory": 32, "kernel": "/boot/vmlinuz", "vif": ["bridge=xenbr0"]},
        workloads=[burst(2, 3), netperf("receive", rate_bits_per_second=9_000_000)],
    )
    host.toolstack.resources.pin_vcpu("rhel5pvtest", None, [1, 2])
    host.toolstack.resources.set_sched_credit("rhel5pvtest", weight=128, cap_percent=50)
    host.advance(2 * SECOND)
    host.toolstack.resources.set_vcpus("ossvm02", 1)
    host.toolstack.domains.destroy("r5b2-mySQL01")


COLUMNS = ("time_ns", "pc", "mode", "event", "pcpu", "domain", "tid", "on_behalf_of")


def batches(host, domids):
    """Return all samples so far, as bytes by column."""
    drivers = [host.profiler.oprofile(str(domid)) for domid in domids]
    for driver in drivers:
        driver.write("dump", "1")
    host.advance(host.now_ns + SECOND)
    taken = [lot.load().columns() for driver in drivers for lot in driver.read_buffer()]
    return [getattr(batch, column).tobytes() for batch in taken for column in COLUMNS]


def played():
    host = grumble()
    run_commands(host)
    host.advance(3 * SECOND)
    return host


def test_the_same_commands_give_the_same_host():
    assert played().telemetry.snapshot() == played().telemetry.snapshot()


def test_the_same_run_gives_the_same_samples():
    taken = []
    for _ in range(2):
        host = grumble()
        profile(host, range(5))
        host.advance(SECOND)
        taken.append(batches(host, range(5)))
    assert len(taken[0]) > 8
    assert taken[0] == taken[1]


def test_how_the_time_is_cut_into_slices_does_not_matter():
    whole, sliced = grumble(), grumble()
    whole.advance(2 * SECOND)
    for step in range(1, 1001):
        sliced.advance(step * 2 * MS)
    assert whole.telemetry.snapshot() == sliced.telemetry.snapshot()


def test_looking_does_not_change_what_happens():
    alone, watched = grumble(), grumble()
    alone.advance(2 * SECOND)
    for step in range(1, 2001):
        watched.advance(step * MS)
        if step % 7 == 0:
            watched.telemetry.snapshot()
    one, two = (replace(host.telemetry.snapshot(), generation=0) for host in (alone, watched))
    assert one == two


def test_another_host_in_the_same_process_does_not_disturb():
    alone, host = grumble(), grumble()
    other = make_host(domain("a", cpu(threads=3), fileio(), vcpus=3))
    alone.advance(SECOND)
    for step in range(1, 101):
        host.advance(step * 10 * MS)
        other.advance(step * 10 * MS)
    assert alone.telemetry.snapshot() == host.telemetry.snapshot()


def test_where_a_kernel_thread_ran_is_not_remembered_for_all_hosts():
    host = make_host(domain("a", cpu(), vcpus=2))
    host.advance(SECOND)
    host.toolstack.resources.set_memory("a", 64)  # on vcpu 1, as 0 is busy
    host.advance(2 * SECOND)
    assert (host.hypercalls.live[1].memory_kib, KERNEL.vcpu) == (64 * 1024, 0)


def test_another_seed_gives_another_run():
    one, two = grumble(1), grumble(2)
    for host in (one, two):
        host.advance(SECOND)
    assert one.telemetry.snapshot().domains[1].cpu_ns != two.telemetry.snapshot().domains[1].cpu_ns


@pytest.mark.parametrize("profiled", [False, True])
def test_a_copy_goes_on_alike(profiled):
    host = grumble()
    if profiled:
        profile(host, range(5))
    host.advance(300 * MS)
    twin = copied(host)
    for each in (host, twin):
        run_commands(each)
        each.advance(3 * SECOND)
    assert host.telemetry.snapshot() == twin.telemetry.snapshot()


PROGRAM = """
from tests.model.test_determinism import batches, digest, grumble, profile, run_commands
host = grumble()
profile(host, range(5))
run_commands(host)
print(digest(host, batches(host, (0, 1, 2, 3))))
"""


def digest(host, columns):
    """Return a fingerprint of everything visible of a host, and of its samples."""
    snapshot = host.telemetry.snapshot()
    text = repr(
        [
            snapshot.domains,
            snapshot.pcpus,
            snapshot.xenoprof,
            snapshot.counters,
            snapshot.samples,
            snapshot.lost,
        ]
    )
    return hashlib.sha256(text.encode() + b"".join(columns)).hexdigest()


def test_the_hash_seed_does_not_matter():
    prints = set()
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        prints.add(done.stdout)
    assert len(prints) == 1


def test_times_are_integers_in_every_record():
    snapshot = played().telemetry.snapshot()
    numbers = [value for one in snapshot.domains for vcpu in one.vcpus for value in times_ns(vcpu)]
    assert {type(value) for value in numbers} == {int}
    assert not any(isinstance(value, np.integer) for value in numbers)
