from pathlib import Path

import pytest

from xenprof.disk import Disk
from xenprof.errors import (
    BadSamplePath,
    CorruptSampleFile,
    NothingToSave,
    SessionExists,
    SessionLocked,
    UsageError,
)
from xenprof.profile.flat import ImageName, SampleHeader, SampleKey
from xenprof.store.samplefile import merge
from xenprof.store.samplepath import format_path
from xenprof.store.sessiondir import SessionDir, list_files, read_profile, read_stats

HEADER = SampleHeader("i386/p4-ht", 0x1D, 1, 100_000, True, 3200.0)
KERNEL = ImageName("kern", "no-vmlinux")
PROGRAM = ImageName("root", "/usr/bin/linpack")


def key(image: ImageName, cpu: int | None = None) -> SampleKey:
    return SampleKey(image, image, "GLOBAL_POWER_EVENTS", 100_000, 1, cpu=cpu)


@pytest.fixture
def session(tmp_path: Path) -> SessionDir:
    directory = SessionDir(tmp_path / "oprofile", shown="/var/lib/oprofile")
    directory.create()
    for sample_key in (key(KERNEL), key(PROGRAM, 1), key(PROGRAM, 0)):
        merge(directory.current / format_path(sample_key), HEADER, [16, 32], [3, 4])
    return directory


def test_lists_sample_files_in_path_order(session: SessionDir) -> None:
    found = [sample_key for sample_key, _ in list_files(session.current)]
    assert [key(KERNEL), key(PROGRAM, 0), key(PROGRAM, 1)] == found


def test_lists_where_each_key_is_kept(session: SessionDir) -> None:
    assert all(session.current / format_path(k) == path for k, path in list_files(session.current))


def test_a_missing_session_has_no_files(session: SessionDir) -> None:
    assert [] == list_files(session.session("none"))


def test_stray_files_beside_the_trees_and_jit_images_are_ignored(session: SessionDir) -> None:
    (session.current / "stray").write_text("x")
    (session.current / "{root}" / "a.jo").write_text("x")
    assert 3 == len(list_files(session.current))


def test_a_stray_file_among_the_samples_is_fatal(session: SessionDir) -> None:
    (session.current / "{root}" / "stray").write_text("x")
    with pytest.raises(BadSamplePath, match="bad event specification: stray"):
        list_files(session.current)


def test_reads_a_session_with_its_statistics(session: SessionDir) -> None:
    session.write_stats({"event_lost_overflow": 5, "cpu0/sample_lost_overflow": 2})
    profile = read_profile(session.path, archive="/home/x")
    assert (
        [7, 7, 7],
        {"event_lost_overflow": 5, "cpu0/sample_lost_overflow": 2},
        "/home/x",
    ) == ([file.total for file in profile.files], profile.lost, profile.archive)


def test_a_session_may_be_given_as_a_directory(session: SessionDir, tmp_path: Path) -> None:
    assert 3 == len(read_profile(tmp_path / "elsewhere", str(session.current)).files)


def test_files_that_are_not_selected_are_not_opened(session: SessionDir) -> None:
    (session.current / format_path(key(KERNEL))).write_bytes(b"damaged")
    profile = read_profile(session.path, select=lambda k: k.image == PROGRAM)
    assert 2 == len(profile.files)


def test_a_damaged_file_is_named(session: SessionDir) -> None:
    path = session.current / format_path(key(KERNEL))
    path.write_bytes(b"damaged")
    with pytest.raises(CorruptSampleFile) as caught:
        read_profile(session.path)
    assert str(path) == caught.value.path


def test_saving_renames_the_session_with_its_statistics(session: SessionDir) -> None:
    session.write_stats({"sample_lost_no_mm": 1})
    session.save("before")
    assert (["before"], {"sample_lost_no_mm": 1}, 3) == (
        session.sessions(),
        read_stats(session.session("before")),
        len(list_files(session.session("before"))),
    )


def test_saving_to_a_name_that_is_taken_is_refused(session: SessionDir) -> None:
    session.save("a")
    session.create()
    with pytest.raises(SessionExists) as caught:
        session.save("a")
    assert "session /var/lib/oprofile/samples/a already exists" == str(caught.value)


def test_saving_without_a_session_succeeds_with_a_message(session: SessionDir) -> None:
    session.save("a")
    with pytest.raises(NothingToSave) as caught:
        session.save("b")
    assert ("/var/lib/oprofile/samples/current doesn't exist: nothing to save", 0) == (
        str(caught.value),
        caught.value.exit_code,
    )


@pytest.mark.parametrize("name", ["a/b", "../x", ""])
def test_saving_elsewhere_is_refused(session: SessionDir, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        session.save(name)
    assert f"Argument for --save, {name}, cannot change directory." == str(caught.value)


def test_resetting_deletes_current_samples_and_statistics_only(session: SessionDir) -> None:
    session.save("kept")
    session.create()
    merge(session.current / format_path(key(KERNEL)), HEADER, [1], [1])
    session.write_stats({"sample_lost_no_mm": 1})
    session.log_path.write_text("log")
    session.reset()
    assert ([], {}, 3, "log") == (
        list_files(session.current),
        read_stats(session.current),
        len(list_files(session.session("kept"))),
        session.log_path.read_text(),
    )


def test_resetting_nothing_is_fine(tmp_path: Path) -> None:
    SessionDir(tmp_path).reset()
    assert [] == list(tmp_path.iterdir())


def test_statistics_that_are_no_numbers_are_ignored(session: SessionDir) -> None:
    session.write_stats({"event_lost_overflow": 5})
    (session.current / "stats" / "note").write_text("hello")
    assert {"event_lost_overflow": 5} == read_stats(session.current)


def test_the_lock_holds_the_pid_and_a_second_daemon_is_refused(session: SessionDir) -> None:
    session.lock(4711)
    with pytest.raises(SessionLocked, match="pid 4711"):
        session.lock(4712)
    assert ("4711\n", 4711) == (session.lock_path.read_text(), session.lock_pid())


def test_the_lock_can_be_taken_again_after_unlocking(session: SessionDir) -> None:
    session.lock(1)
    session.unlock()
    assert session.lock_pid() is None


def test_the_abi_file_describes_the_format_that_is_written(session: SessionDir) -> None:
    lines = (session.path / "abi").read_text().splitlines()
    assert ("sizeof_double 8", "sizeof_struct_opd_header 72", "little_endian 1", 31) == (
        lines[0],
        lines[12],
        lines[-1],
        len(lines),
    )


def test_a_session_that_is_renamed_is_saved_though_its_folder_cannot_be_synced(
    session: SessionDir,
) -> None:
    class Unsynced(Disk):
        def sync(self, path: Path) -> None:
            raise OSError(5, "Input/output error")

    session.save("first", Unsynced())
    assert session.session("first").is_dir()


def test_a_lock_that_cannot_be_removed_ends_nothing(session: SessionDir) -> None:
    session.lock_path.mkdir(parents=True)
    session.unlock()
    assert session.lock_path.is_dir()
