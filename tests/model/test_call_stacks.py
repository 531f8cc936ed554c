"""Call stacks of samples: their frames, their counts, and the cost of recording them."""

import hashlib
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from hypervisor.model.codebook.native import NATIVE
from hypervisor.model.profiling.stacks import Stacks
from hypervisor.telemetry import Mode
from tests.support.model.hosts import MS, SECOND, cpu, domain, fileio, make_host, netperf
from tests.support.model.profiling import begin, count_now, end, set_counter, xenoprof_now
from tests.support.paths import ROOT

DEEP = 200


def busy_host():
    return make_host(
        domain("sends", netperf("transmit", rate_bits_per_second=100_000_000)),
        domain("gets", netperf("receive", rate_bits_per_second=100_000_000)),
        domain("disk", fileio(rate_per_second=300)),
        domain("shy", netperf("transmit", rate_bits_per_second=50_000_000)),
    )


def profiled(depth, *, host=None, active=(0, 1, 2, 3), passive=(4,), room=1_000_000, ms=400):
    """Return a host and the samples of its daemons, which walk up to `depth` callers."""
    host = host or busy_host()
    set_counter(host, 0, count=20_000)
    for domid in active:
        driver = host.profiler.oprofile(str(domid))
        driver.write("backtrace_depth", str(depth))
        if room:
            driver.write("cpu_buffer_size", str(room))
            driver.write("buffer_size", str(room))
    begin(host, active, passive)
    host.advance(ms * MS)
    return host, end(host, active)


@pytest.fixture(scope="module")
def run():
    return profiled(DEEP)


def functions(host):
    """Return every function of paravirtualized domains by address, as starts, ends and names."""
    found = sorted(
        (symbol.address, symbol.address + symbol.size, symbol.name)
        for key, image in host.code.images.items()
        if image.mode != Mode.USER and key != NATIVE
        for symbol in image.symbols.values()
    )
    return tuple(map(np.array, zip(*found, strict=True)))


def stacks_of(host, domid, batch):
    """Return (stack, samples) of a batch."""
    driver = host.profiler.oprofile(str(domid))
    counts = Counter(batch.stack_id.tolist())
    return [(driver.stack(number), samples) for number, samples in counts.items()]


def name(host, frame):
    image = next(one for one in host.code.images.values() if one.path == frame.image)
    return next(
        symbol.name
        for symbol in image.symbols.values()
        if symbol.address <= frame.pc < symbol.address + symbol.size
    )


def names(host, stack):
    return [name(host, frame) for frame in stack.frames]


# -- Their frames


def test_every_sample_has_a_stack(run):
    _, batches = run
    assert all((batch.stack_id >= 0).all() for batch in batches.values())


def test_each_sample_falls_into_the_last_function_of_its_stack(run):
    host, batches = run
    starts, ends, _ = functions(host)
    for domid, batch in batches.items():
        kernel = np.flatnonzero(batch.mode != Mode.USER)
        last = np.array(
            [host.profiler.oprofile(str(domid)).stack(number).frames[-1].pc for number in
             batch.stack_id[kernel].tolist()], np.uint64,
        )  # fmt: skip
        at = np.searchsorted(starts, batch.pc[kernel], "right") - 1
        assert len(kernel) > 100
        assert (last == starts[at]).all()
        assert (batch.pc[kernel] < ends[at]).all()


def test_the_last_frame_is_of_the_samples_domain_and_mode(run):
    host, batches = run
    for domid, batch in batches.items():
        driver = host.profiler.oprofile(str(domid))
        for number, where, mode in zip(
            batch.stack_id.tolist(), batch.domain.tolist(), batch.mode.tolist(), strict=True
        ):
            last = driver.stack(number).frames[-1]
            assert (where, mode) == (last.domain, last.mode)


def test_frames_before_the_own_part_are_of_other_domains_or_led_there(run):
    host, batches = run
    for domid, batch in batches.items():
        for stack, _ in stacks_of(host, domid, batch):
            mine = {frame.domain for frame in stack.frames[stack.own :]}
            assert {stack.frames[-1].domain} == mine
            assert not stack.own or stack.frames[stack.own - 1].domain not in mine


def test_what_domain_0_does_for_a_sender_begins_in_its_program(run):
    host, batches = run
    joined: Counter[int] = Counter()
    for stack, samples in stacks_of(host, 0, batches[0]):
        if "net_tx_action" in names(host, stack) and stack.frames[0].domain == 1:
            assert ["main", "send_tcp_stream", "send"] == names(host, stack)[:3]
            joined[stack.own > 0] += samples
    assert joined[True] > 20


def test_what_a_guest_receives_begins_in_domain_0(run):
    host, batches = run
    received = [
        (stack, samples)
        for stack, samples in stacks_of(host, 2, batches[2])
        if "netif_poll" in names(host, stack)
    ]
    assert sum(samples for _, samples in received) > 100
    assert {0} == {stack.frames[0].domain for stack, _ in received}


def test_samples_of_a_passive_domain_have_stacks_of_their_own(run):
    host, batches = run
    batch = batches[0]
    passive = batch.stack_id[batch.domain == 4]
    assert len(passive) > 50
    tops = {
        host.profiler.oprofile("0").stack(number).frames[-1].domain for number in passive.tolist()
    }
    assert {4} == tops


def test_offsets_are_those_of_sample_files(run):
    host, batches = run
    for stack, _ in stacks_of(host, 1, batches[1]):
        for frame in stack.frames:
            image = next(one for one in host.code.images.values() if one.path == frame.image)
            shift = 0x1000 if image.mode == Mode.USER else 0
            assert frame.offset == frame.pc - image.address + shift


# -- Their counts


def test_stacks_get_samples_in_proportion_to_their_cycles():
    """linpack runs alone: the chains of its functions and their cycles are known."""
    host = make_host(domain("a", cpu(), cpus="1"))
    set_counter(host, count=50_000)
    for domid in ("0", "1"):
        host.profiler.oprofile(domid).write("backtrace_depth", "9")
        for size in ("buffer_size", "cpu_buffer_size"):
            host.profiler.oprofile(domid).write(size, "1000000")
    begin(host, (0, 1))
    host.advance(SECOND)
    batch = end(host, (0, 1))[1]
    op = host.code.costs.ops["linpack_code"]
    cycles = {symbol: op.cycles * part / sum(op.symbols.values()) for symbol, part in
              op.symbols.items()}  # fmt: skip
    found: Counter[str] = Counter()
    for stack, samples in stacks_of(host, 1, batch):
        if stack.frames[-1].image.endswith("/linpack"):
            found[">".join(names(host, stack))] += samples
    expected = {
        "main>dgefa>dgemm": cycles["dgemm"],
        "main>dgefa>daxpy": cycles["daxpy"],
        "main>dgefa": cycles["dgefa"],
        "main>dgesl": cycles["dgesl"],
        "main>dgefa>idamax": cycles["idamax"],
        "main>dgefa>dscal": cycles["dscal"],
        "main>matgen": cycles["matgen"],
        "main>dgesl>ddot": cycles["ddot"],
    }
    assert expected.keys() == found.keys()
    total, whole = sum(found.values()), sum(expected.values())
    assert total > 50_000
    chi_square = sum(
        (found[chain] - total * share / whole) ** 2 / (total * share / whole)
        for chain, share in expected.items()
    )
    assert chi_square < 7 + 3.1 * (2 * 7) ** 0.5  # p about 0.001


# -- Depth


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_no_more_callers_are_recorded_than_asked_for(depth):
    host, batches = profiled(depth, ms=200)
    deepest = 0
    for domid, batch in batches.items():
        for stack, _ in stacks_of(host, domid, batch):
            own = len(stack.frames) - stack.own
            deepest = max(deepest, own)
            assert own <= depth + 1
            if stack.is_cut:  # the callers of a stack without its beginning are not known
                assert (depth + 1, 0) == (len(stack.frames), stack.own)
    assert depth + 1 == deepest


def test_a_stack_that_is_cut_keeps_its_innermost_callers(run):
    host, batches = run
    short, short_batches = profiled(3, ms=200)
    tails = {tuple(names(host, stack)[-4:]) for stack, _ in stacks_of(host, 1, batches[1])}
    found: Counter[bool] = Counter()
    for stack, samples in stacks_of(short, 1, short_batches[1]):
        if stack.is_cut:
            found[tuple(names(short, stack)) in tails] += samples
    assert found[True] > 100
    assert found[False] < 0.1 * found[True]  # rare stacks that the other run has not drawn


def test_without_a_depth_no_stack_is_recorded():
    host, batches = profiled(0, ms=100)
    assert {-1} == {number for batch in batches.values() for number in batch.stack_id.tolist()}
    assert {} == host.pmu.depths


def test_each_domain_decides_for_itself():
    host = busy_host()
    set_counter(host, 0, count=20_000)
    host.profiler.oprofile("2").write("backtrace_depth", "4")
    begin(host, (0, 1, 2))
    host.advance(200 * MS)
    batches = end(host, (0, 1, 2))
    assert (batches[0].stack_id == -1).all()
    assert (batches[1].stack_id == -1).all()
    assert (batches[2].stack_id >= 0).all()


def test_the_next_daemon_without_depth_walks_no_more():
    host, _ = profiled(8, ms=50)
    for domid in (3, 2, 1, 0):
        host.profiler.oprofile(str(domid)).close_buffer()
    assert {} == host.pmu.depths


# -- Their cost


def spent_cycles(host, path):
    """Return the cycles spent on a path and those still owed."""
    host.execution.accounting.settle_all()
    index = host.code.index[path]
    live = list(host.hypercalls.live.values())
    spent_ns = sum(one.by_path()[index] for domain in live for one in domain.path_ns.values())
    vcpus = [vcpu for domain in live for vcpu in domain.vcpus]
    owed_q = sum(vcpu.owed.get(index, 0) for vcpu in vcpus)
    owed_q += sum(cycles_q for vcpu in vcpus for at, cycles_q in vcpu.debt if at == index)
    return spent_ns * 3.2 + owed_q / (1 << 20)


def test_each_caller_of_a_sample_is_paid_for(run):
    """The ledgers of the pcpus are compared with the callers of the samples."""
    host, batches = run
    callers = 0
    for domid, batch in batches.items():
        for stack, samples in stacks_of(host, domid, batch):
            callers += samples * (len(stack.frames) - stack.own - 1)
    each = host.code.paths[host.code.index["oprofile_backtrace_frame"]].cycles
    assert spent_cycles(host, "oprofile_backtrace_frame") == pytest.approx(callers * each, rel=0.1)


def test_without_stacks_nothing_is_paid():
    host, _ = profiled(0, ms=100)
    assert 0 == spent_cycles(host, "oprofile_backtrace_frame")


def test_the_mean_number_of_callers_is_that_of_the_functions_by_their_cycles():
    """Buffers and costs use this mean: dgemm has two callers, main of its program none."""
    host = make_host()
    op = host.code.costs.ops["linpack_code"]
    callers = {"dgemm": 2, "daxpy": 2, "idamax": 2, "dscal": 2, "ddot": 2, "matgen": 1, "dgefa": 1,
               "dgesl": 1}  # fmt: skip
    libc = host.code.costs.ops["linpack_libc"]  # below main and dgefa
    cycles = op.cycles + libc.cycles
    expected = sum(op.cycles * part / 100 * callers[symbol] for symbol, part in op.symbols.items())
    expected = (expected + 2 * libc.cycles) / cycles
    mean = Stacks(host.code).callers(DEEP)[Mode.USER, host.code.index["linpack_compute"]]
    assert mean == pytest.approx(expected, rel=0.01)


# -- Buffers


def test_stacks_fill_the_cpu_buffer_sooner():
    lost = {}
    for depth in (0, 30):
        host, batches = profiled(depth, room=0, ms=300, host=make_host(domain("a", cpu())),
                                 active=(0, 1), passive=())  # fmt: skip
        driver = host.profiler.oprofile("1")
        losses = driver.losses()
        lost[depth] = losses["cpu_buffer_overflow"]
        received = int(driver.read("stats/cpu0/sample_received"))
        assert received == len(batches[1]) + sum(losses.values()) + driver.pending()
    assert lost[0] < lost[30]


def test_the_hypervisors_balance_holds_with_stacks(run):
    host, _ = run
    now = xenoprof_now(host)
    parts = now.active + now.passive + now.others + now.lost + now.invalid + now.corrupted
    assert now.total == parts > 10_000


def test_a_passive_ring_holds_as_many_samples_with_stacks():
    host = make_host(domain("a", cpu()))
    host.profiler.oprofile("0").write("backtrace_depth", "30")
    set_counter(host, 0, count=100_000)
    begin(host, (0,), (1,))
    host.hypercalls.pause_domain(0)  # nobody empties the ring
    host.advance(SECOND)
    count_now(host)
    assert (2047, True) == (xenoprof_now(host).passive, xenoprof_now(host).lost > 0)


# -- Determinism


def fingerprint():
    """Return a hash of all stacks of a run and their counts."""
    host, batches = profiled(20, ms=200)
    digest = hashlib.sha256()
    for domid, batch in batches.items():
        driver = host.profiler.oprofile(str(domid))
        for number in batch.stack_id.tolist():
            stack = driver.stack(number)
            digest.update(repr([(f.domain, f.pc) for f in stack.frames]).encode())
        digest.update(batch.pc.tobytes())
    return digest.hexdigest()


def test_the_same_run_gives_the_same_stacks_under_any_hash_seed():
    prints = {fingerprint()}
    for seed in ("1", "77"):
        done = subprocess.run(
            [sys.executable, "-c", f"import {__name__} as test; print(test.fingerprint())"],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        prints.add(done.stdout.strip())
    assert 1 == len(prints)
