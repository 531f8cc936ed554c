import errno
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypervisor.errors import HostError, Refused
from hypervisor.toolstack.records import savefile
from hypervisor.toolstack.records.savefile import (
    SavedDomain,
    SavedImage,
    check_save,
    read_save,
    write_save,
)

SXP = "(domain (domid 3) (name web))"
IMAGE = SavedImage(3000, ((100, 50), (2000, 7)), {"now": 5, "tasks": [1, 2, {"a": None}]})
TAIL = 4 + 4 + 57 * 8 + 5168 + 4096  # zero, number and list of absent pfns, context, shared info


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "web.save"
    write_save(path, SXP, IMAGE)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(Refused) as caught:
        read_save(path)
    return str(caught.value).removeprefix(f"{path}: not a valid guest state file: ")


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def batch_bytes(pages: int) -> int:
    return 4 + pages * (8 + 4096)  # their number; for each a word of type and pfn, and its contents


HEAD = 16 + 4 + len(SXP)
FRAMES_AT = HEAD + 8
BATCHES_AT = FRAMES_AT + 6 * 8


def test_a_file_is_read_as_it_was_written(saved):
    assert SavedDomain(SXP, IMAGE) == read_save(saved)


def test_the_file_starts_with_tag_length_configuration_and_page_count(saved):
    expected = (
        b"LinuxGuestRecord" + len(SXP).to_bytes(4, "big") + SXP.encode() + struct.pack("<Q", 3057)
    )
    assert expected == saved.read_bytes()[: len(expected)]


def test_the_file_is_as_long_as_xc_linux_save_makes_it(saved):
    batches = sum(batch_bytes(pages) for pages in (1024, 1024, 952))
    assert BATCHES_AT + batches + TAIL == saved.stat().st_size


def test_the_first_batch_names_the_present_pfns_in_order(saved):
    data = saved.read_bytes()[BATCHES_AT:]
    expected = [*range(100), *range(150, 150 + 924)]
    assert (1024, expected) == (
        struct.unpack_from("<I", data)[0],
        np.frombuffer(data, "<u8", 1024, 4).tolist(),
    )


def test_the_list_of_absent_pfns_stands_before_the_context(saved):
    data = saved.read_bytes()
    at = len(data) - TAIL + 4
    assert (57, [*range(100, 150), *range(2000, 2007)]) == (
        struct.unpack_from("<I", data, at)[0],
        np.frombuffer(data, "<u8", 57, at + 4).tolist(),
    )


def test_the_p2m_frame_list_names_frames_of_the_guest(saved):
    frames = np.frombuffer(saved.read_bytes(), "<u8", 6, FRAMES_AT).tolist()
    assert [0, 1, 2, 3, 4, 5] == frames


def test_pages_are_holes(tmp_path):
    path = tmp_path / "big"
    write_save(path, SXP, SavedImage(262_144, (), {}))
    assert path.stat().st_blocks * 512 < path.stat().st_size // 200


def test_a_state_that_spans_batches_is_kept(tmp_path):
    image = SavedImage(3000, ((5, 1),), {"text": "x" * (5 << 20)})
    write_save(tmp_path / "big", SXP, image)
    assert image == read_save(tmp_path / "big").image


@pytest.mark.parametrize("pages", [1, 1023, 1024, 1025])
def test_memory_of_about_a_batch_is_kept(tmp_path, pages):
    image = SavedImage(pages, ((pages, 3),), {})
    write_save(tmp_path / "small", SXP, image)
    assert image == read_save(tmp_path / "small").image


def test_absent_ranges_are_sorted_and_merged():
    assert ((2, 5), (9, 1)) == SavedImage(9, ((4, 3), (9, 1), (2, 2)), {}).absent_pfns


@pytest.mark.parametrize(
    ("pages", "absent"), [(0, ()), (9, ((3, 0),)), (9, ((2, 2), (3, 1))), (9, ((11, 1),)), (9, ((-1, 1),))]
)  # fmt: skip
def test_impossible_memory_is_a_value_error(pages, absent):
    with pytest.raises(ValueError, match="absent pfns"):
        SavedImage(pages, absent, {})


# What cannot be written


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "no" / "web.save"
    with pytest.raises(Refused) as caught:
        write_save(path, SXP, IMAGE)
    expected = f"can't write guest state file {path}: No such file or directory"
    assert expected == str(caught.value)


@pytest.mark.parametrize("name", ["folder", "fifo", "a\0b", "\ud800", "n" * 300])
def test_what_is_no_place_for_a_file_is_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(Refused, match="can't write guest state file"):
        write_save(f"{tmp_path}/{name}", SXP, IMAGE)


@pytest.mark.parametrize("name", ["folder", "fifo", "none/x", "a\0b"])
def test_a_bad_place_is_found_before_anything_is_done(tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(Refused, match="can't write guest state file"):
        check_save(f"{tmp_path}/{name}")


def test_a_good_place_stays_as_it_is(saved):
    before = saved.read_bytes()
    check_save(saved)
    assert ([saved], before) == (list(saved.parent.iterdir()), saved.read_bytes())


def test_a_failed_write_says_no_space_left(saved, monkeypatch):
    monkeypatch.setattr(os, "pwrite", full_disk)
    with pytest.raises(Refused) as caught:
        write_save(saved, "(domain)", IMAGE)
    expected = f"can't write guest state file {saved}: No space left on device"
    assert expected == str(caught.value)


def test_a_failed_write_leaves_the_old_file_alone(saved, monkeypatch):
    monkeypatch.setattr(os, "pwrite", full_disk)
    with pytest.raises(Refused):
        write_save(saved, "(domain)", IMAGE)
    assert SavedDomain(SXP, IMAGE) == read_save(saved)


def test_a_failed_write_leaves_no_other_file(saved, monkeypatch):
    monkeypatch.setattr(os, "pwrite", full_disk)
    with pytest.raises(Refused):
        write_save(saved, "(domain)", IMAGE)
    assert [saved] == list(saved.parent.iterdir())


def full_disk(fd: int, data: bytes, at: int) -> int:
    if at > 5000:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return len(data)


def test_a_short_write_is_continued(tmp_path, monkeypatch):
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: real(fd, data[:1000], at))
    write_save(tmp_path / "web", SXP, IMAGE)
    monkeypatch.undo()
    assert SavedDomain(SXP, IMAGE) == read_save(tmp_path / "web")


def test_a_symbolic_link_keeps_being_one(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_save(tmp_path / "link", SXP, IMAGE)
    assert ((tmp_path / "link").is_symlink(), SXP) == (
        True,
        read_save(tmp_path / "target").sxp_text,
    )


@pytest.mark.parametrize(
    ("sxp", "image", "reason"),
    [
        (SXP, SavedImage(savefile.MAX_PAGES, ((1, 1),), {}), "16777217 pages of memory"),
        ("x" * (1 << 21), IMAGE, "2097152 bytes of configuration"),
        (SXP, SavedImage(1, (), {"x": "x" * 5000}), "bytes of state in its memory"),
        ("\ud800", IMAGE, "not text"),
    ],
)
def test_a_domain_that_no_file_can_hold_is_refused(tmp_path, sxp, image, reason):
    with pytest.raises(Refused, match=reason):
        write_save(tmp_path / "web", sxp, image)


# What cannot be read


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Refused) as caught:
        read_save(tmp_path / "none")
    expected = f"can't read guest state file {tmp_path}/none: No such file or directory"
    assert expected == str(caught.value)


@pytest.mark.parametrize("name", ["folder", "fifo", "zero"])
def test_only_regular_files_are_read(tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with pytest.raises(Refused, match="it is not a regular file"):
        read_save(tmp_path / name)


def test_an_impossible_name_is_refused():
    with pytest.raises(Refused, match=r"'a\\x00b': it is not a possible file name"):
        read_save("a\0b")


def test_another_tag_is_shown(saved):
    overwrite(saved, 0, b"\x7fELF")
    assert r"found '\x7fELFxGuestRecord', not 'LinuxGuestRecord'" == refusal(saved)


@pytest.mark.parametrize(
    ("at", "data", "reason"),
    [
        (16, b"\xff\xff\xff\xff", "config size out of range: 4294967295 bytes"),
        (HEAD, struct.pack("<Q", 2**63), f"pfn count out of range: {2**63}, at most 16777216"),
        (HEAD, bytes(8), "pfn count out of range: 0, at most 16777216"),
        (HEAD, struct.pack("<Q", 3058), "57 pfns are listed as absent, but 58 have no page"),
        (FRAMES_AT, struct.pack("<Q", 3057), "P2M frame list: a frame beyond the end of the memory"),
        (BATCHES_AT, struct.pack("<I", 1025), "batch of 1025 pages where at most 1024 can be"),
        (BATCHES_AT, bytes(4), "its pages end before the guest's state does"),
        (BATCHES_AT + 4, struct.pack("<Q", 0xF << 28), "a page of an impossible type"),
        (BATCHES_AT + 4, struct.pack("<Q", 1 << 60), "a page of an impossible type"),
        (BATCHES_AT + 4, struct.pack("<Q", 9), "pfns out of order or range after pfn -1"),
        (BATCHES_AT + 4 + 8192, b"X", "its memory holds no guest of this program"),
        (BATCHES_AT + 4 + 8192 + 16, b"\xff" * 8, f"guest state of {2**64 - 1} bytes, at most 67108864"),
        (BATCHES_AT + 4 + 8192 + 70, b"?", "its checksum does not match, it is damaged"),
        (20, b"[", "its checksum does not match, it is damaged"),
    ],
)  # fmt: skip
def test_a_damaged_field_is_told(saved, at, data, reason):
    overwrite(saved, at, data)
    assert reason == refusal(saved)


def test_a_wrong_list_of_absent_pfns_is_told(saved):
    overwrite(saved, saved.stat().st_size - TAIL + 8, struct.pack("<Q", 99))
    assert "a pfn that is listed as absent has a page" == refusal(saved)


def test_what_follows_the_end_is_told(saved):
    with saved.open("ab") as file:
        file.write(b"more")
    assert "4 bytes follow its end" == refusal(saved)


@pytest.mark.parametrize(
    ("size", "what"),
    [
        (0, "signature read: it ends at byte 0 of 16"),
        (18, "config size read: it ends at byte 18 of 20"),
        (30, f"config read: it ends at byte 30 of {HEAD}"),
        (HEAD + 1, f"pfn count read: it ends at byte {HEAD + 1} of {HEAD + 8}"),
        (FRAMES_AT, f"P2M frame list read: it ends at byte {FRAMES_AT} of {BATCHES_AT}"),
        (BATCHES_AT + 2, f"batch size read: it ends at byte {BATCHES_AT + 2} of {BATCHES_AT + 4}"),
        (BATCHES_AT + 9, f"page types read: it ends at byte {BATCHES_AT + 9} of {BATCHES_AT + 8196}"),
        (
            BATCHES_AT + 99_999,
            f"pages read: it ends at byte {BATCHES_AT + 99_999} of {BATCHES_AT + batch_bytes(1024)}",
        ),
    ],
)  # fmt: skip
def test_a_truncated_file_says_where_it_ends(saved, size, what):
    os.truncate(saved, size)
    assert what == refusal(saved)


@pytest.mark.parametrize(
    ("missing", "what"),
    [(1, "shared-info page"), (4097, "vcpu context"), (9300, "absent pfns"), (TAIL - 5, "number of")],
)  # fmt: skip
def test_a_truncated_end_says_what_is_missing(saved, missing, what):
    os.truncate(saved, saved.stat().st_size - missing)
    assert refusal(saved).startswith(what)


def test_a_sparse_file_that_claims_to_be_large_is_refused_quickly(tmp_path):
    path = tmp_path / "zeros"
    path.write_bytes(b"LinuxGuestRecord" + bytes(4) + struct.pack("<Q", savefile.MAX_PAGES))
    os.truncate(path, 1 << 40)
    assert "its pages end before the guest's state does" == refusal(path)


def check_damaged(folder: Path, data: bytes) -> None:
    path = folder / "damaged"
    path.write_bytes(data)
    try:
        found = read_save(path)
    except HostError:
        return
    assert SMALL == found


SMALL = SavedDomain("(domain (name a))", SavedImage(3, ((1, 2),), {"a": 1, "b": [2, "c"]}))
QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    path = tmp_path_factory.mktemp("small") / "small"
    write_save(path, SMALL.sxp_text, SMALL.image)
    return path.parent, path.read_bytes()


@QUIET
@given(
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1)
)
def test_a_file_with_flipped_bits_is_refused_or_equal(small, flips):
    folder, data = small
    damaged = bytearray(data)
    for where, bits in flips:
        damaged[int(where * len(data))] ^= bits
    check_damaged(folder, bytes(damaged))


@QUIET
@given(at=st.integers(0, 400), bits=st.integers(1, 255))
def test_a_file_with_a_damaged_head_is_refused_or_equal(small, at, bits):
    folder, data = small
    damaged = bytearray(data)
    damaged[at] ^= bits
    check_damaged(folder, bytes(damaged))


@QUIET
@given(size=st.integers(0, 22_000))
def test_a_shorter_file_is_refused(small, size):
    folder, data = small
    path = folder / "cut"
    path.write_bytes(data[: min(size, len(data) - 1)])
    with pytest.raises(Refused):
        read_save(path)


@QUIET
@given(data=st.binary(max_size=200))
def test_any_bytes_behind_the_tag_are_refused(small, data):
    path = small[0] / "noise"
    path.write_bytes(b"LinuxGuestRecord" + data)
    with pytest.raises(Refused):
        read_save(path)
