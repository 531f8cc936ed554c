import errno
import gzip
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hypervisor.errors import HostError
from tests.support.homes import session, write, write_home
from tests.support.known_sessions import GUEST_APPS, VMLINUX, XEN, own
from tests.support.pprof_proto import decoded
from tests.support.traces import real_bytes
from xenprof.cli import report as module
from xenprof.cli.report import command
from xenprof.errors import XenprofError
from xenprof.home import domain_root
from xenprof.report.formats import FORMATS, load
from xenprof.report.views.table import BY
from xenprof.store.begun import note_run, stored_samples
from xenprof.store.sessiondir import domain_session
from xenprof.store.unseen import write_unseen


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XENPROF_HOME", str(tmp_path))
    return write_home(tmp_path)


def report(*words: str) -> bytes:
    """Run `xenprof report`; return what it prints."""
    runner = CliRunner()
    found = runner.invoke(command, list(words), standalone_mode=False)
    if found.exception:
        raise found.exception
    return found.stdout_bytes


def rows(*words: str) -> list:
    found: list = json.loads(report("--format", "json", *words))["rows"]
    return found


def refusal(*words: str) -> str:
    with pytest.raises((XenprofError, HostError)) as caught:
        report(*words)
    return str(caught.value)


@pytest.mark.parametrize("by", [*BY, "domain,layer", "domain,image", "image,domain"])
def test_rows_are_by_a_field_or_by_several(home, by):
    assert set(by.split(",")) <= set(rows("--by", by, "--limit", "1")[0])


@pytest.mark.parametrize("by", ["domain,", "x", "domain,x", "image,image", ""])
def test_what_is_no_field_is_refused_with_those_there_are(by):
    with pytest.raises(click.BadParameter, match="none of domain, layer, image, symbol"):
        report("--by", by)


def test_help_names_every_format_and_says_what_it_is():
    text = " ".join(report("--help").decode().split())
    for name, format in FORMATS.items():
        assert " ".join(f"{name}: {format.help}".split()) in text


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_module_that_renders(name):
    assert callable(load(name))


def test_rows_of_domains_are_sorted_by_their_samples(home):
    found = rows("--by", "domain", "--event", "CPU_CLK_UNHALTED")
    assert [(row["domain"], row["self"]) for row in found] == [
        ("web", [400]), ("db", [112]), ("Domain-0", [106]),
    ]  # fmt: skip


def test_sessions_of_another_profile_are_left_out_and_told(home):
    for domain, run in (("Domain-0", "b"), ("web", "a")):
        samples = stored_samples(session(home, domain))
        note_run(domain_session(domain_root(home, domain)), run, samples)
    found = CliRunner().invoke(command, ["--by", "domain"], standalone_mode=False)

    assert " web" not in found.stdout
    assert found.stderr == (
        "note: left out, as sampled at another time: web (--domain shows them)\n"
    )


def test_a_domain_is_chosen_by_id(home):
    assert {row["domain"] for row in rows("--domain", "1")} == {"db"}


def test_two_events_give_a_ratio(home):
    (row,) = rows("--by", "domain", "--domain", "Domain-0")
    assert row["CPI"] == 5.3  # 106 samples of 100 000 cycles, 10 of 200 000 instructions


def test_a_limit_keeps_the_largest(home):
    assert [row["symbol"] for row in rows("--limit", "1")] == ["main"]


def test_a_threshold_is_of_all_samples(home):
    found = rows("--by", "domain", "--threshold", "18.5", "--event", "CPU_CLK_UNHALTED")
    assert [row["domain"] for row in found] == ["web"]


def test_a_tree_has_depths(home):
    assert {row["depth"] for row in rows("--tree", "top-down")} == {0}


def test_a_session_is_compared_with_another(home):
    write(home, "Domain-0", [own(VMLINUX, {0: 700}), own(XEN, {0x80: 700})], "before")
    write(home, "Domain-0", [own(VMLINUX, {0: 700}), own(XEN, {0x80: 900})], "after")
    found = rows("--session", "after", "--compare", "before")
    assert {row["symbol"]: row["verdict"] for row in found} == {
        "context_switch": "more",
        "schedule": "less",
    }


def test_a_session_is_compared_with_a_path(home):
    path = home / "domains/Domain-0/var/lib/oprofile/samples/current"
    assert rows("--domain", "Domain-0", "--compare", str(path), "--by", "domain,layer")


def test_output_goes_to_a_file(home, tmp_path):
    path = tmp_path / "p.pb.gz"
    assert report("--format", "pprof", "-o", str(path)) == b""
    assert len(decoded(gzip.decompress(path.read_bytes())).sample) > 5


def test_a_format_of_one_event_says_which(home):
    runner = CliRunner()
    found = runner.invoke(command, ["--format", "folded"], standalone_mode=False)
    assert found.stderr == ("note: folded shows CPU_CLK_UNHALTED:100000:0; choose with --event\n")


def test_a_trace_becomes_slices(tmp_path):
    path = tmp_path / "trace.bin"
    path.write_bytes(real_bytes())
    found = json.loads(report("--format", "perfetto", "--trace", str(path)))
    assert len(found["traceEvents"]) > 1000


REFUSED = {
    "no domain has a session nosuch; there are current, later, other-period": ["--session", "nosuch"],
    "Domain 'nosuch' does not exist.": ["--domain", "nosuch"],
    "session later has no samples of web": ["--session", "later", "--domain", "web"],
    "/nowhere: no session of samples is there": ["--compare", "/nowhere"],
    "--event X: there are samples of CPU_CLK_UNHALTED:100000:0, INST_RETIRED_ANY_P:200000:0": [
        "--event", "X",
    ],
    "--by is for the formats text, json, csv": ["--format", "pprof", "--by", "domain"],
    "--tree is for the formats text, json, csv": ["--format", "otlp", "--tree", "top-down"],
    "--compare is for the formats text, json, csv, folded, flamegraph.html, flamegraph.svg": [
        "--format", "pprof", "--compare", "later",
    ],
    "--compare and --tree do not go together: use a flame graph": [
        "--compare", "later", "--tree", "top-down",
    ],
    "--format perfetto shows a recorded trace: give --trace FILE": ["--format", "perfetto"],
    "--format perfetto shows a trace: leave out --domain": [
        "--format", "perfetto", "--trace", "x", "--domain", "web",
    ],
    "--trace is for --format perfetto": ["--trace", "x"],
    "--mhz is for --format perfetto": ["--mhz", "100"],
    "/nowhere/trace.bin: No such file or directory": [
        "--format", "perfetto", "--trace", "/nowhere/trace.bin",
    ],
    "cannot write /nowhere/x: No such file or directory": ["-o", "/nowhere/x"],
    "session current: Domain-0, db, web has no samples of INST_RETIRED_ANY_P:1:0; it has "
    "CPU_CLK_UNHALTED:100000:0, INST_RETIRED_ANY_P:200000:0": [
        "--session", "other-period", "--compare", "current",
    ],
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSED)
def test_what_makes_no_sense_is_refused_in_one_line(home, message):
    write(
        home, "web",
        [own(VMLINUX, {0: 4}, event="INST_RETIRED_ANY_P", count=1)], "other-period",
    )  # fmt: skip
    assert refusal(*REFUSED[message]) == message


def test_a_session_of_empty_files_has_no_samples(home):
    write(home, "web", [own(VMLINUX, {}), own(GUEST_APPS, {})], "empty")
    assert refusal("--session", "empty") == "session empty has no samples"


def test_a_session_that_has_lost_all_samples_says_how_many_and_why(home):
    write_unseen(session(home, "web", "empty"), ["lost_reasons filtered=7"])
    assert refusal("--session", "empty") == (
        "session empty has no samples; lost: 7 samples (filtered 7)"
    )


def test_nothing_sampled_ever_is_said_so(tmp_path, monkeypatch):
    monkeypatch.setenv("XENPROF_HOME", str(tmp_path))
    assert refusal() == f"no domain has a session current; there are none below {tmp_path}"


def test_an_existing_file_is_kept_where_there_is_nothing_to_report(home, tmp_path):
    path = tmp_path / "old.txt"
    path.write_text("old")
    refusal("--event", "X", "-o", str(path))
    assert path.read_text() == "old"


def test_a_full_disk_is_one_line(home):
    assert refusal("-o", "/dev/full") == "cannot write /dev/full: No space left on device"


def test_a_report_for_which_there_is_no_room_leaves_no_file(home, tmp_path, monkeypatch):
    def parts(request):
        yield b"begun"
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "load", lambda name: parts)
    path = tmp_path / "full/out"
    path.parent.mkdir()

    assert refusal("-o", str(path)) == f"cannot write {path}: No space left on device"
    assert list(path.parent.iterdir()) == []


PROGRAM = "import sys; from xenprof.cli.report import command; command.main(sys.argv[1:])"


def test_a_binary_format_is_not_written_to_a_terminal(home):
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "--format", "otlp"],
            stdout=theirs, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)
    assert "otlp is binary: give -o FILE, or pipe it to a program" in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error(home):
    shell = '"$0" -c "$1" --format json 2>&1 >&3 | cat'
    done = subprocess.run(
        ["bash", "-c", f"{{ {shell}; }} 3> >(head -c 1 >/dev/null)", sys.executable, PROGRAM],
        capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr


def test_the_program_asks_for_no_large_library_to_show_its_help():
    check = "import sys, xenprof.cli.report; print(sorted({'numpy', 'google'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True, timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout == "[]\n"


def test_a_directory_here_with_the_name_of_no_session_is_told_with_how_to_write_it(
    home, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "php.folded.out").mkdir()

    assert refusal("--session", "php.folded.out").endswith(
        "; for the directory here write ./php.folded.out"
    )
