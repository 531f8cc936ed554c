"""Columns of samples: their counts are those logged, and each pc is where its work was done."""

import hashlib
import io
import os
import subprocess
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from hypervisor.model.codebook.costs import Costs
from hypervisor.model.codebook.images import Images
from hypervisor.samples import SampleBatch
from hypervisor.telemetry import Mode
from tests.support.model.hosts import MS, SECOND, burst, cpu, domain, fileio, make_host, netperf
from tests.support.model.profiling import CYCLES, INSTRUCTIONS, begin, dumped, end, set_counter
from tests.support.paths import ROOT

EVENTS = {0: CYCLES, 3: INSTRUCTIONS, 1: (0x05, 2)}  # ITLB_REFERENCE, misses
FLOATING_POINT = (0x15, 0x8000)  # PACKED_DP_UOP
XEN, VMLINUX = "/usr/lib/debug/boot/xen-syms", "/usr/lib/debug/lib/modules/"


def busy_host():
    return make_host(
        domain("busy", cpu()),
        domain("web", netperf("transmit", rate_bits_per_second=50_000_000)),
        domain("disk", fileio(rate_per_second=300)),
        domain("bursty", burst(2, 3)),
    )


def profiled(active=(0, 1, 2), passive=(3,)):
    """Return a host with many kinds of work, and the samples of its domains."""
    host = busy_host()
    for index, event in EVENTS.items():
        set_counter(host, index, event=event, count=20_000 if index != 1 else 500)
    for domid in active:
        host.profiler.oprofile(str(domid)).write("cpu_buffer_size", "100000")  # nothing is lost
    begin(host, active, passive)
    host.advance(400 * MS)
    return host, end(host, active)


@pytest.fixture(scope="module")
def run():
    return profiled()


def keys(batch):
    return Counter(
        zip(batch.domain.tolist(), batch.event.tolist(), batch.mode.tolist(), strict=True)
    )


# -- Counts


def left_in_rings(host):
    rows = []
    for domid, one in host.hypercalls.live.items():
        for vcpu in one.vcpus if host.xenoprof.unread(domid) else ():
            rows += host.xenoprof.take_ring(vcpu)
    return rows


def test_columns_hold_what_was_logged(run):
    host, batches = run
    columns: Counter[Any] = sum((keys(batch) for batch in batches.values()), Counter())
    for chunk, row, _ in left_in_rings(host):  # counted by the stop
        for (index, _), by_mode in zip(chunk.counters, chunk.counts[row], strict=True):
            for mode in Mode:
                columns[int(chunk.domids[row]), index, int(mode)] += int(by_mode[mode])
    logged = {
        (domid, index, mode): samples
        for (domid, index), by_mode in host.xenoprof.tally.logged.items()
        for mode, samples in enumerate(by_mode)
        if samples
    }
    assert logged == {key: samples for key, samples in columns.items() if samples}
    assert {(domid, 0, mode) for domid in (0, 1, 2, 3) for mode in (1, 2)} <= logged.keys()


def test_a_guest_gets_its_own_samples_and_domain_0_those_of_passive_domains(run):
    _, batches = run
    assert {0: {0, 3}, 1: {1}, 2: {2}} == {
        domid: set(batch.domain.tolist()) for domid, batch in batches.items()
    }


def test_times_lie_in_the_run(run):
    _, batches = run
    for batch in batches.values():
        assert 0 <= batch.time_ns.min() <= batch.time_ns.max() <= 400 * MS


def test_domain_0_works_for_the_domains_whose_devices_it_serves(run):
    _, batches = run
    mine = batches[0].domain == 0
    assert {0, 2, 3} <= set(batches[0].on_behalf_of[mine].tolist())


def test_other_domains_work_for_themselves(run):
    _, batches = run
    assert {1} == set(batches[1].on_behalf_of.tolist())


# -- Places


def text_ranges(host, name):
    """Return (start, end) of the text of the hypervisor, and of the kernel with its modules."""
    files = {file.path: file for file in host.profiler.domain_files(name)}

    def text(prefix):
        (path,) = [path for path in files if path.startswith(prefix) and "/kernel/" not in path]
        section = ELFFile(io.BytesIO(files[path].data)).get_section_by_name(".text")
        assert section is not None
        return section["sh_addr"], section["sh_addr"] + section["sh_size"]

    modules = host.profiler.oprofile(name).modules()
    loaded = [(module.start, module.start + module.size) for module in modules]
    return [text(XEN)], [text(VMLINUX), *loaded]


def is_inside(pcs, ranges):
    inside = np.zeros(len(pcs), dtype=bool)
    for start, stop in ranges:
        inside |= (pcs >= start) & (pcs < stop)
    return inside


@pytest.mark.parametrize("mode", [Mode.KERNEL, Mode.HYPERVISOR])
def test_every_kernel_and_hypervisor_pc_is_in_a_loaded_image(run, mode):
    host, batches = run
    for domid, batch in batches.items():
        xen, kernel = text_ranges(host, str(domid))
        pcs = batch.pc[(batch.mode == mode) & (batch.domain == domid)]
        assert len(pcs) > 10
        assert is_inside(pcs, xen if mode == Mode.HYPERVISOR else kernel).all()


def test_every_user_pc_is_in_an_image_that_its_task_maps(run):
    host, batches = run
    for domid, batch in batches.items():
        tasks = host.profiler.oprofile(str(domid)).tasks()
        mine = (batch.mode == Mode.USER) & (batch.domain == domid)
        assert mine.any()
        for tgid in set(batch.tgid[mine].tolist()):
            mapped = [(one.start, one.end) for one in tasks[tgid].mappings]
            assert is_inside(batch.pc[mine & (batch.tgid == tgid)], mapped).all()


def test_every_kernel_pc_is_in_a_function(run):
    _, batches = run
    functions = [
        (symbol.address, symbol.address + symbol.size)
        for image in Images().by_key.values()
        if image.mode != Mode.USER
        for symbol in image.symbols.values()
    ]
    for batch in batches.values():
        pcs = np.unique(batch.pc[batch.mode != Mode.USER])
        assert is_inside(pcs, functions).all()


# -- Shares


def work_functions(mode=Mode.USER, path="linpack_compute"):
    """Return (start, size, cycles) of each function of a path in one mode, from the costs."""
    images = Images()
    costs = Costs(images.by_key)
    found: dict[Any, Any] = {}
    for name, times in costs.paths[path].ops.items():
        op = costs.ops[name]
        if op.image.mode != mode:
            continue
        for symbol, part in op.symbols.items():
            place = op.image.symbols[symbol]
            cycles = float(times) * op.cycles * part / sum(op.symbols.values())
            size, before = found.get(place.address, (place.size, 0.0))
            found[place.address] = size, before + cycles
    return [(start, size, cycles) for start, (size, cycles) in sorted(found.items())]


@pytest.fixture(scope="module")
def pure():
    """Return samples of a program that only computes."""
    host = make_host(domain("a", cpu(), cpus="1"))
    set_counter(host, count=50_000)
    begin(host, (0, 1))
    host.advance(SECOND)
    batch = end(host, (0, 1))[1]
    (task,) = [
        t for t in host.profiler.oprofile("1").tasks().values() if "oprofiled" not in t.program
    ]
    return batch.pc[(batch.mode == Mode.USER) & (batch.tgid == task.tgid)]


def by_function(pcs):
    functions = work_functions()
    starts = np.array([start for start, _, _ in functions], dtype=np.uint64)
    return functions, np.searchsorted(starts, pcs, side="right") - 1


def test_every_pc_of_a_program_is_in_a_function_of_its_work(pure):
    functions, index = by_function(pure)
    sizes = np.array([size for _, size, _ in functions], dtype=np.uint64)
    starts = np.array([start for start, _, _ in functions], dtype=np.uint64)
    assert index.min() >= 0
    assert (pure - starts[index] < sizes[index]).all()


def test_functions_get_samples_in_proportion_to_their_cycles(pure):
    functions, index = by_function(pure)
    cycles = np.array([cycles for _, _, cycles in functions])
    expected = len(pure) * cycles / cycles.sum()
    observed = np.bincount(index, minlength=len(functions))
    freedom = len(functions) - 1
    chi_square = float(((observed - expected) ** 2 / expected).sum())
    assert len(pure) > 40_000
    assert chi_square < freedom + 3.1 * (2 * freedom) ** 0.5  # p about 0.001


def test_both_halves_of_each_function_are_reached(pure):
    functions, index = by_function(pure)
    for number, (start, size, _) in enumerate(functions):
        offsets = pure[index == number] - np.uint64(start)
        if len(offsets) > 500:
            assert offsets.min() < size // 8
            assert offsets.max() >= size - size // 8


def test_each_path_of_a_segment_gets_its_share():
    """Kernel and hypervisor work are mixed: per path the samples follow the pcpus' ledgers."""
    host = busy_host()
    set_counter(host, count=5000)
    begin(host, (0, 1, 2, 3, 4))
    host.advance(400 * MS)
    batches = end(host, (0, 1, 2, 3, 4))
    books: Counter[Any] = Counter()
    times = [one for domain in host.hypercalls.live.values() for one in domain.path_ns.values()]
    for one in times:
        for path, ns in zip(host.code.paths, one.by_path(), strict=True):
            if path.name in ("file_read_request", "page_cache_kib", "copy_from_user_kib"):
                books[path.name] += ns * path.by_mode[1] / path.cycles
    places = [
        (start, start + size)
        for name in books
        for start, size, _ in work_functions(Mode.KERNEL, name)
    ]
    kernel = np.concatenate([b.pc[b.mode == Mode.KERNEL] for b in batches.values()])
    inside = int(is_inside(kernel, places).sum())
    assert inside >= 0.95 * sum(books.values()) * 3.2 / 5000 > 50


# -- Counters that change


def test_old_samples_keep_the_event_they_were_counted_with():
    """A guest reads after domain 0 has started again with an event that its kernel never has."""
    host = make_host(domain("a", burst(1, 1)))
    set_counter(host, count=5000)
    begin(host, (0, 1))
    host.advance(90 * MS)
    driver, guest = host.profiler.oprofile("0"), host.profiler.oprofile("1")
    driver.write("enable", "0")
    driver.close_buffer()
    set_counter(host, event=FLOATING_POINT, count=5000)
    driver.open_buffer()
    batch = dumped(host, guest)
    assert len(batch) > 8000
    assert set(Mode) == set(batch.mode.tolist())


def test_samples_before_and_after_a_change_of_counters_are_read_together():
    host = make_host(domain("a", cpu()))
    driver = host.profiler.oprofile("0")
    for index in (0, 3):
        set_counter(host, index, event=EVENTS[index])
        begin(host, (0, 1))
        host.advance(host.now_ns + 40 * MS)
        driver.write("enable", "0")
        host.profiler.oprofile("1").close_buffer()
        driver.close_buffer()
    begin(host, (0, 1))
    batch = dumped(host, host.profiler.oprofile("1"))
    assert {0, 3} == set(batch.event.tolist())


# -- Determinism


def fingerprint():
    """Return a hash of all columns of a run."""
    _, batches = profiled()
    digest = hashlib.sha256()
    for batch in batches.values():
        for name in SampleBatch.__slots__:
            digest.update(getattr(batch, name).tobytes())
    return digest.hexdigest()


def test_the_same_run_gives_the_same_bytes_under_any_hash_seed():
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
