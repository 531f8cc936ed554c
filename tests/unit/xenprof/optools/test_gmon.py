import shutil
import struct
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.compiled_sessions import write_domain
from xenprof.cli.opgprof import main
from xenprof.optools.gmon import Arc, Samples, encode

ADDRESSES = st.builds(
    int.__add__, st.integers(0, 5000), st.sampled_from([0, 0x40000000, 0xFFFFFFFF80200000])
)
SAMPLES = st.dictionaries(ADDRESSES, st.integers(1, 1000), min_size=1, max_size=20)


def read(data: bytes, *, word: str = "Q", order: str = "<"):
    """Read the format by its description; return (low, high, bins) of histograms, and arcs."""
    assert (b"gmon", 1) == struct.unpack_from(f"{order}4sI", data)
    at, histograms, arcs = 20, [], []
    while at < len(data):
        tag, at = data[at], at + 1
        if tag == 0:
            head = struct.Struct(f"{order}{word}{word}II15sc")
            low, high, size, rate, unit, letter = head.unpack_from(data, at)
            assert (1, b"samples", b"1") == (rate, unit.rstrip(b"\0"), letter)
            at += head.size
            bins = struct.unpack_from(f"{order}{size}H", data, at)
            at += 2 * size
            histograms.append((low, high, bins))
        else:
            assert tag == 1
            row = struct.Struct(f"{order}{word}{word}I")
            arcs.append(Arc(*row.unpack_from(data, at)))
            at += row.size
    return histograms, arcs


def make(counts: dict[int, int], arcs=(), *, hidden=(), is_64: bool = True, order: str = "<"):
    addresses = sorted(counts)
    samples = Samples(
        np.array(addresses, np.uint64),
        np.array([counts[address] for address in addresses], np.uint64),
        np.array([address not in hidden for address in addresses]),
    )
    return encode(samples, arcs, is_64=is_64, order=order)


@given(counts=SAMPLES)
def test_every_sample_is_in_the_bin_of_its_address(counts) -> None:
    histograms, _ = read(make(counts).data)
    found: Counter = Counter()
    for low, high, bins in histograms:
        width = (high - low) // len(bins)
        for i, count in enumerate(bins):
            found[low + i * width] += count
    expected: Counter = Counter()
    for address, count in counts.items():
        expected[address - address % width] += count
    assert expected == +found


@given(counts=SAMPLES)
def test_histograms_do_not_overlap_and_have_one_scale(counts) -> None:
    histograms, _ = read(make(counts).data)
    edges = [edge for low, high, _ in histograms for edge in (low, high)]
    scales = {(high - low) / len(bins) for low, high, bins in histograms}
    assert (sorted(edges), 1) == (edges, len(scales))


def test_code_far_apart_does_not_make_a_large_file() -> None:
    made = make({0xFFFFFFFF80200000: 1, 0xFFFFFFFFFF600000: 2})
    assert len(made.data) < 200


def test_addresses_in_fours_make_larger_bins() -> None:
    low, high, bins = read(make({0x1000: 1, 0x1010: 2}).data)[0][0]
    assert (0x1000, 0x1018, (1, 0, 2)) == (low, high, bins)


def test_each_sample_over_the_limit_of_its_bin_is_reported() -> None:
    made = make({0x1000: 70_000, 0x1001: 3, 0x1002: 65_535, 0x1003: 0, 0x1004: 70_010})
    assert ((65535, 65535, 65535), (70_000, 3, 70_010)) == (
        read(made.data)[0][0][2],
        made.capped,
    )


def test_hidden_samples_count_in_the_range_only() -> None:
    low, high, bins = read(make({0x1000: 1, 0x1010: 2}, hidden={0x1010}).data)[0][0]
    assert (0x1000, 0x1018, (1, 0, 0)) == (low, high, bins)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("word", "is_64"), [("Q", True), ("I", False)])
def test_arcs_follow_in_the_images_own_word(word, is_64, order) -> None:
    arcs = [Arc(0x1000, 0x2000, 7), Arc(0x1004, 0x1000, 1)]
    made = make({0x1000: 1}, arcs, is_64=is_64, order=order)
    assert arcs == read(made.data, word=word, order=order)[1]


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XENPROF_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_domain(tmp_path / "domains" / "Domain-0")
    return Path(tmp_path, "domains", "Domain-0")


def test_a_session_becomes_the_samples_of_its_program(root) -> None:
    assert main(["session:calls"]) == 0
    histograms, arcs = read(Path("gmon.out").read_bytes())
    assert (194, [Arc(0x40103F, 0x401000, 60), Arc(0x401083, 0x40102C, 90)]) == (
        sum(sum(bins) for _, _, bins in histograms),
        arcs,
    )


def test_a_threshold_leaves_small_functions_out(root) -> None:
    assert main(["-t", "50", "session:calls"]) == 0
    assert 126 == sum(sum(bins) for _, _, bins in read(Path("gmon.out").read_bytes())[0])


@pytest.mark.skipif(shutil.which("gprof") is None, reason="needs GNU gprof")
def test_gnu_gprof_reads_samples_and_calls(root) -> None:
    assert main(["session:calls"]) == 0
    command = ["gprof", "-b", "-p", str(root / "usr/bin/demo"), "gmon.out"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in out.splitlines() if line.endswith(("receive", "fill"))]
    assert [("receive", "126.00", "90"), ("fill", "67.00", "60")] == [
        (row[-1], row[2], row[3]) for row in rows
    ]
