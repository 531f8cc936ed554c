"""What paths take from each other: the tables agree with the rest of the model, and are checked."""

from typing import Any

import pytest

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.costs import CostTableError
from hypervisor.model.codebook.locking import ONE, Locking
from tests.support.model.hosts import make_host

CPUS = {"p4": 2400, "p4-ht": 3200, "core_2": 3000, "hammer": 2400}


@pytest.mark.parametrize("cpu", CPUS)
def test_the_cache_is_that_of_cpuinfo(cpu):
    host = make_host(cpu=cpu, hypervisor="3.1")
    text = host.toolstack.views.proc("0", "cpuinfo")
    (size,) = {line.split(":")[1].strip() for line in text.splitlines() if "cache size" in line}
    assert f"{CodeBook(cpu).sharing(3000).cache.l2_kib} KB" == size


def test_a_program_that_fits_into_its_share_misses_no_more():
    sharing = CodeBook("core_2").sharing(3000)
    index = CodeBook("core_2").index
    assert sharing.crowded(2)[index["httpd_compute"]] == ONE
    assert sharing.crowded(2)[index["linpack_compute"]] == pytest.approx(ONE * 2**0.5, rel=0.01)


def test_fetching_a_line_again_takes_its_latency_by_the_misses_under_way():
    """140 ns, three at a time in blocked loops."""
    book = CodeBook("p4")
    refill_ns = book.sharing(2400).refill_ns[book.index["linpack_compute"]] / ONE
    assert refill_ns == pytest.approx(140 / 3, rel=0.02)


@pytest.mark.parametrize(
    ("path", "lines", "cycles"),
    [
        ("netloop_copy_kib", 48, 2050),
        ("copy_from_user_kib", 32, 1000),
        ("copy_to_user_kib", 16, 1500),
    ],
)
def test_a_copy_moves_the_lines_that_it_reads_fetches_and_writes_back(path, lines, cycles):
    """Three of four count, as of those of STREAM's triad."""
    book = CodeBook("p4")
    moved = book.sharing(2400).moved[book.index[path]]
    assert moved == pytest.approx(lines * 3 / 4 / cycles * 2_400_000, rel=0.001)


def test_other_code_moves_what_it_misses():
    book = CodeBook("p4")
    sharing, path = book.sharing(2400), book.index["linpack_compute"]
    assert sharing.moved[path] == sharing.fetched[path]


def test_a_lock_of_an_op_that_no_path_has_is_refused():
    data: dict[str, dict[str, dict[str, Any]]] = {
        "lock": {"x": {"ops": {"nothing": 1}, "spin": "kernel_spin", "can_be_kept": True}},
        "cpu": {"p4": {"locked_percent": 0}},
        "path": {},
    }
    with pytest.raises(CostTableError, match=r"\[lock.x\]: unknown op 'nothing'"):
        Locking(data, "p4", {"kernel_spin": 0, "ipi": 0}, [[]], [1], ())
