import gzip
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenprof.imports.errors import InputError
from xenprof.imports.xenoprof import rows
from xenprof.imports.xenoprof.inputs import read_capture


def buffer(pcs, *, user=None, lost=0, vcpu=0, size=8):
    count = len(pcs)
    slots = b"".join(struct.pack("<QBB6x", pc, 0, 0) for pc in pcs)
    header = struct.pack("<4I4Q", count, 0, size, vcpu, 0, 0, count if user is None else user, lost)
    return header + slots.ljust(size * 16, b"\0")


@pytest.fixture
def put(tmp_path):
    def put(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return put


def pcs(capture):
    return {key: entries["pc"].tolist() for key, entries in capture.entries.items()}


def test_a_buffer_is_of_the_domain_that_is_given_or_that_its_name_tells(put):
    capture = read_capture([put("buf-dom3.bin", buffer([1])), "4=" + put("dom9.bin", buffer([2]))])

    assert {(3, 0): [1], (4, 0): [2]} == pcs(capture)


def test_packed_files_are_unpacked(put):
    capture = read_capture([put("dom0.gz", gzip.compress(buffer([5])))])

    assert {(0, 0): [5]} == pcs(capture)


def test_lines_are_the_samples_where_a_buffer_holds_their_end(put):
    capture = read_capture([
        put("samples.txt", "# header\n0 0 0 0 0x1\n0 0 0 0 0x2\n\n0 1 0 0 0x3\n"),
        put("dom0.bin", buffer([2], user=2, lost=6)),
    ])  # fmt: skip

    assert {(0, 0): [1, 2], (0, 1): [3]} == pcs(capture)
    assert (3, 6, 0) == (capture.kept(0), capture.lost(0), capture.gone(0))


def test_without_a_buffer_losses_are_unknown(put):
    assert read_capture([put("samples.txt", "2 0 0 0 0x1\n")]).lost(2) is None


def test_counters_of_an_earlier_buffer_are_subtracted(put):
    now, then = (
        put("dom0.bin", buffer([1], user=10, lost=7)),
        put("old0.bin", buffer([], user=9, lost=3)),
    )

    capture = read_capture([now], [f"0={then}"])

    assert (4, 0) == (capture.lost(0), capture.gone(0))


def test_entries_that_were_counted_but_are_not_here_are_told(put):
    assert read_capture([put("dom0.bin", buffer([1], user=10))]).gone(0) == 9


@pytest.mark.parametrize(
    ("files", "earlier", "message"),
    [
        (["ring.bin"], [], "whose buffer is it"),
        (["0=samples.txt"], [], "leave out 0="),
        (["dom0.bin", "0=ring.bin"], [], "domain 0 vcpu 0 was given already"),
        (["samples.txt", "0=ring.bin"], [], "not the end of the lines given"),
        (["dom0.bin"], ["7=ring.bin"], "no buffer of domain 7 vcpu 0"),
        (["dom0.bin"], ["0=busy.bin"], "which one came first"),
        (["0=under.bin"], [], "has 1 entries of mode 0, but its header counts 0"),
        (["dom0.bin"], ["0=same.bin"], "has 1 entries of mode 0, but its header counts 0"),
        (["missing-dom0.bin"], [], "no such file"),
        (["."], [], "not a file"),
        (["empty"], [], "holds no samples"),
        (["bad.gz"], [], "bad.gz: "),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    put, monkeypatch, tmp_path, files, earlier, message
):
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "ring.bin": buffer([1]),
        "dom0.bin": buffer([9]),
        "same.bin": buffer([9]),
        "busy.bin": buffer([], user=100),
        "under.bin": buffer([9], user=0),
        "samples.txt": "0 0 0 0 0x1\n0 0 0 0 0x2\n",
        "empty": "",
        "bad.gz": gzip.compress(buffer([1]))[:-9],
    }.items():
        put(name, content)

    with pytest.raises(InputError, match=message) as caught:
        read_capture(files, earlier)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0 0 0", "not a sample"),
        ("0 0 3 0 0x1", "mode 3 is not a number from 0 to 0x2"),
        ("-1 0 0 0 0x1", "domain -1"),
        ("32752 0 0 0 0x1", "domain 32752"),
        ("0 0 0 256 0x1", "event 256"),
        ("0 0 0 0 0x10000000000000000", "pc 0x10000000000000000"),
        ("0 0 0 0 pc", "pc pc"),
        ("0 0 0 0 " + "9" * 5000, "pc 99999999999999999999 is"),
    ],
)
def test_a_wrong_line_is_named(line, message):
    with pytest.raises(InputError, match=f"rows, line 2: {message}"):
        rows.parse(f"# comment\n{line}\n", "rows")


@given(st.text())
def test_any_text_is_samples_or_refused(text):
    try:
        found = rows.parse(text, "rows")
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert sum(map(len, found.values())) <= len(text.splitlines())
