import gc
import os
from pathlib import Path

from xenprof.service.process import read_process


def test_the_figures_of_this_process_are_those_of_the_system():
    found = read_process()
    assert found.cpu_seconds is not None
    assert found.resident_bytes is not None
    assert found.virtual_bytes is not None
    assert -0.001 < sum(os.times()[:2]) - found.cpu_seconds < 1
    assert 10_000_000 < found.resident_bytes < found.virtual_bytes


def test_open_files_are_counted():
    before = read_process().open_files
    with Path("/dev/null").open() as _:
        after = read_process().open_files
    assert before is not None
    assert before + 1 == after


def test_the_start_is_counted_from_the_boot_of_the_machine(tmp_path: Path):
    own = tmp_path / "self"
    (own / "fd").mkdir(parents=True)
    ticks = os.sysconf("SC_CLK_TCK")
    (own / "stat").write_text(f"1 (a) b) S {'0 ' * 18}{5 * ticks} 0 0 0")
    (tmp_path / "stat").write_text("cpu 1 2 3\nbtime 1700000000\n")
    assert read_process(tmp_path).started_unix == 1_700_000_005.0


def test_collections_are_those_of_python():
    assert len(read_process().collections) == len(gc.get_stats())


def test_without_proc_only_what_python_knows_is_known(tmp_path: Path):
    found = read_process(tmp_path)
    assert (found.cpu_seconds, found.open_files) == (None, None)
    assert found.collections
