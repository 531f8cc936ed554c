from tests.support.known_sessions import CYCLES, PROG, VMLINUX, own, write_session
from xenprof.store.begun import note_run, only_run, stored_samples
from xenprof.store.sessiondir import SessionDir


def session(path, *files):
    directory = SessionDir(path)
    directory.create()
    write_session(directory.current, files)
    return directory


def test_the_samples_of_all_files_are_counted(tmp_path):
    made = session(tmp_path, own(VMLINUX, {0: 40, 0x100: 5}), own(PROG, {0x113C: 20}))
    assert 65 == stored_samples(made.current)


def test_callers_are_no_samples(tmp_path):
    made = session(tmp_path, own(VMLINUX, {0: 40}), own(VMLINUX, {0: 9}, callee=VMLINUX))
    assert 40 == stored_samples(made.current)


def test_a_damaged_file_counts_as_none(tmp_path):
    made = session(tmp_path, own(VMLINUX, {0: 40}), own(PROG, {0x113C: 20}))
    next(path for path in made.current.rglob("*") if f"vmlinux/{CYCLES}" in str(path)).write_bytes(
        b""
    )
    assert 20 == stored_samples(made.current)


def test_a_missing_session_has_no_samples_and_no_run(tmp_path):
    assert (0, None) == (stored_samples(tmp_path / "current"), only_run(tmp_path / "current"))


def test_a_session_is_of_the_run_that_is_noted(tmp_path):
    made = session(tmp_path, own(VMLINUX, {0: 40}))
    note_run(made, "a1", 40)
    assert "a1" == only_run(made.current)


def test_a_session_with_more_samples_is_of_no_run_alone(tmp_path):
    made = session(tmp_path, own(VMLINUX, {0: 40}))
    note_run(made, "a1", 39)
    assert None is only_run(made.current)


def test_a_reset_session_is_of_no_run(tmp_path):
    made = session(tmp_path)
    note_run(made, "a1", 0)
    made.reset()
    assert None is only_run(made.current)


def test_a_damaged_note_is_none(tmp_path):
    made = session(tmp_path)
    note_run(made, "a1", 0)
    (made.current / "stats/xenprof_profile").write_bytes(b"a1 \xff")
    assert None is only_run(made.current)
