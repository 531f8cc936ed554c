import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.known_sessions import write_domain
from xenprof.cli.opreport import main
from xenprof.store.samplefile import read

OVERFLOW = "WARNING! The OProfile kernel driver reports sample buffer overflows."


@pytest.fixture
def domain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "domains" / "Domain-0"
    write_domain(root)
    monkeypatch.setenv("XENPROF_HOME", str(tmp_path))
    monkeypatch.delenv("XENPROF_DOMAIN", raising=False)
    monkeypatch.delenv("XENPROF_NO_NOTES", raising=False)
    return root


@pytest.fixture
def session(domain: Path) -> Path:
    return domain / "var" / "lib" / "oprofile" / "samples" / "later"


@pytest.fixture
def sample_file(session: Path) -> Path:
    return next(path for path in sorted(session.rglob("*")) if path.is_file())


def notes(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main([*words, "session:later"]) == 0
    return capsys.readouterr().err.splitlines()[1:]


BROKEN = {
    "magic": (
        lambda data: b"ELF!" + data[4:],
        "warning: Invalid sample file, bad magic number: {}: left out",
    ),
    "header": (lambda data: data[:20], "warning: Can't read sample file header:{}: left out"),
    "length": (lambda data: data[:-1], "warning: {}: Invalid argument: left out"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_damaged_sample_file_is_named_in_one_line(what, sample_file, capsys):
    damage, message = BROKEN[what]
    sample_file.write_bytes(damage(sample_file.read_bytes()))
    assert main(["session:later"]) == 0
    assert message.format(sample_file) in capsys.readouterr().err.splitlines()[1:]


def test_damaged_sample_files_alone_are_an_error_of_one_line(session, capsys):
    for path in session.rglob("*.all"):
        if path.is_file():
            path.write_bytes(b"")
    assert main(["session:later"]) == 1
    (line,) = capsys.readouterr().err.splitlines()[1:]
    assert line.startswith("opreport error: Can't read sample file header:")


def test_a_damaged_sample_file_hides_no_other(session, capsys):
    path = next(session.rglob("usr/bin/prog/CPU*"))
    assert main(["-l", "session:later"]) == 0
    whole = capsys.readouterr().out
    path.write_bytes(b"")
    assert main(["-l", "session:later"]) == 0
    left, told = capsys.readouterr()
    assert [f"warning: Can't read sample file header:{path}: left out"] == told.splitlines()[1:2]
    assert len(left.splitlines()) < len(whole.splitlines())


def test_a_stray_file_among_the_samples_is_refused(session, capsys):
    (session / "{root}" / "README").write_text("hello")
    assert main(["session:later"]) == 1
    assert "parse_event_spec(): bad event specification: " in capsys.readouterr().err


def test_an_image_that_is_no_elf_file_counts_as_one_symbol(domain, capsys):
    image = domain / "boot" / "vmlinux"
    image.write_text("compressed")
    assert main(["-ln", "session:no-speed"]) == 0
    assert capsys.readouterr().out == "4        100.000  /boot/vmlinux\n"


def test_files_of_different_versions_of_an_image_are_not_added_up(session, capsys):
    path = next(session.rglob("usr/bin/prog/CPU*"))
    header = read(path)[0]
    other = path.with_name(path.name.removesuffix("all") + "1")
    data = bytearray(path.read_bytes())
    data[40] ^= 1  # the lowest byte of mtime
    other.write_bytes(data)
    assert header.mtime != read(other)[0].mtime
    assert main(["-l", "-m", "cpu", "session:later"]) == 1
    assert "header timestamps are different" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["event_lost_overflow", "cpu1/sample_lost_overflow"])
def test_a_lost_sample_is_warned_of_in_five_lines(name, session, capsys):
    stat = session / "stats" / name
    stat.parent.mkdir(parents=True)
    stat.write_text("3\n")
    lines = notes(capsys)
    assert (lines[0], len(lines)) == (OVERFLOW, 5)


def test_other_losses_are_not_warned_of(session, capsys):
    (session / "stats").mkdir()
    (session / "stats" / "sample_lost_no_mm").write_text("3\n")
    assert notes(capsys) == []


UNSEEN = """idle_seconds 12.5
others_samples 300
lost_samples 0
unread_samples 0.0
unprofiled_domains ossvm02,DesktopVM
something_new 5
"""


def test_a_report_ends_with_what_it_cannot_show(session, capsys):
    (session / "stats").mkdir()
    (session / "stats" / "xenprof_unseen").write_text(UNSEEN)
    assert notes(capsys) == [
        "note: processors were idle for 12.5 s, where no samples are taken",
        "note: 300 samples were of domains that are not profiled",
        "note: not profiled: ossvm02, DesktopVM",
    ]


def test_damaged_notes_on_losses_are_told(session, capsys):
    path = session / "stats" / "xenprof_unseen"
    path.parent.mkdir()
    path.write_bytes(b"")
    assert notes(capsys) == [
        f"note: {path}: damaged notes on lost samples: what was lost may be missing"
    ]


def test_a_session_that_has_lost_all_samples_is_an_error_with_a_note(session, capsys):
    shutil.rmtree(session)
    (session / "stats").mkdir(parents=True)
    (session / "stats" / "xenprof_unseen").write_text("lost_reasons filtered=7\n")
    assert main(["session:later"]) == 1
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "error: no sample files found: profile specification too strict ?",
        "note: no samples were kept; lost: 7 samples (filtered 7)",
    ]


def test_notes_can_be_turned_off(session, capsys, monkeypatch):
    monkeypatch.setenv("XENPROF_NO_NOTES", "1")
    (session / "stats").mkdir()
    (session / "stats" / "xenprof_unseen").write_text(UNSEEN)
    assert notes(capsys) == []


def test_a_domain_can_be_named_by_id_or_environment(domain, capsys, monkeypatch):
    write_domain(domain.parent / "web%201")
    (domain.parent / ".ids").write_text('{"5": "web 1"}')
    monkeypatch.setenv("XENPROF_DOMAIN", "web 1")
    outputs = []
    for words in (["session:later"], ["--domain", "5", "session:later"]):
        assert main(words) == 0
        outputs.append(capsys.readouterr())
    assert outputs[0] == outputs[1]
    assert "/web%201/var/lib/oprofile/samples/" in outputs[0].err


def test_a_module_is_found_in_the_domains_own_modules(domain, capsys):
    module = domain / "lib" / "modules" / "2.6.18" / "kernel" / "domain1-kernel.ko"
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_bytes((domain / "boot" / "vmlinux").read_bytes())
    assert main(["-ln", "domain1-kernel"]) == 0
    assert capsys.readouterr().out == "80       100.000  default_idle\n"


def test_output_file_gets_the_report(domain, tmp_path, capsys):
    assert main(["session:later"]) == 0
    expected = capsys.readouterr().out
    assert main(["-o", str(tmp_path / "report"), "session:later"]) == 0
    assert (capsys.readouterr().out, (tmp_path / "report").read_text()) == ("", expected)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["--usage"], ["--nonsense"]])
def test_a_word_about_the_program_needs_no_heavy_import(words):
    code = (
        "import sys; from xenprof.cli.opreport import main; main(sys.argv[1:]);"
        "print(sorted({'numpy', 'pydantic', 'click', 'elftools'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_full_disk_is_one_line(domain):
    code = "import sys; from xenprof.cli.opreport import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "session:later"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.stderr.splitlines()[1:] == [
        "opreport error: cannot write the report: No space left on device"
    ]


def test_no_session_is_left_when_all_are_excluded(domain, capsys):
    assert main(["session:later", "session-exclude:later"]) == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        "opreport error: No session given",
        "included session was:",
        "later",
        "excluded session was:",
        "later",
        "",
    ]


def test_a_reader_that_leaves_early_gets_no_traceback(domain):
    code = "import sys; from xenprof.cli.opreport import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "-d"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read().decode()
    assert "Error" not in errors


def test_throttled_events_are_warned_of(session, capsys):
    (session / "stats" / "throttled").mkdir(parents=True)
    assert notes(capsys)[1] == "WARNING! Some of the events were throttled. Throttling occurs when"


@pytest.mark.parametrize(("lost", "is_warned_of"), [(1, False), (2, True)])
def test_operfs_losses_count_from_a_ten_thousandth(lost, is_warned_of, session, capsys):
    (session / "stats").mkdir()
    (session / "stats" / "total_samples").write_text("10000\n")
    (session / "stats" / "lost_kernel").write_text(f"{lost}\n")
    warned = any(line.startswith("WARNING: Lost samples detected!") for line in notes(capsys))
    assert warned == is_warned_of


def test_samples_of_sample_files_are_skipped_and_said_so(session, capsys):
    image = str(session.parent.resolve()).lstrip("/") + "/later/x"
    path = session / "{root}" / image / "{dep}" / "{root}" / image / "CPU.1.0.all.all.all"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert notes(capsys) == [
        f"Warning: Invalid sample files found in {session.resolve()}",
        "This problem can be caused by too high of a sampling rate.",
    ]


def test_code_of_a_just_in_time_compiler_is_no_sample_file(session, capsys):
    (session / "{root}" / "1234.0x1000.jo").write_bytes(b"\x7fELF")
    assert notes(capsys) == []


def test_an_image_that_matches_twice_below_the_image_path_is_not_used(domain, tmp_path, capsys):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "domain1-kernel").write_bytes((domain / "boot/vmlinux").read_bytes())
    assert main(["-ln", "-p", f"{tmp_path}/one,{tmp_path}/two", "domain1-kernel"]) == 0
    out, err = capsys.readouterr()
    assert out == "80       100.000  /domain1-kernel\n"
    assert "warning: /domain1-kernel matches more than one file: " in err


def test_merging_libraries_adds_up_the_same_file_of_two_sessions(domain, capsys):
    assert main(["-n", "-m", "lib", "session:later,current", "/boot/vmlinux"]) == 0
    assert capsys.readouterr().out == "      840 100.000 vmlinux\n"


def test_what_operf_leaves_in_the_working_directory_is_read(domain, tmp_path, capsys, monkeypatch):
    samples = tmp_path / "work" / "oprofile_data" / "samples"
    samples.mkdir(parents=True)
    (domain / "var/lib/oprofile/samples/later").rename(samples / "current")
    monkeypatch.chdir(samples.parent.parent)
    assert main([]) == 0
    assert f"Using {samples.parent}/samples/ for samples directory." in capsys.readouterr().err


def test_a_foreign_session_is_read_by_its_abi_file(session, capsys):
    assert main(["-n", "session:later"]) == 0
    expected = capsys.readouterr().out
    (session.parent.parent / "abi").write_text("little_endian 0\nsizeof_struct_opd_header 80\n")
    assert main(["-n", "session:later"]) == 0
    assert capsys.readouterr().out == expected
