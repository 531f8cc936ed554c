"""Buffers that a real Xen filled, through the import to a report."""

import contextlib
import gzip
import io
import json
import re
from collections import Counter

import pytest

from tests.support.paths import TESTS
from xenprof.cli import opreport
from xenprof.cli.main import main

CAPTURE = TESTS / "fixtures" / "xenoprof"
SYMBOLS = (
    "--kallsyms",
    str(CAPTURE / "kallsyms.txt.gz"),
    "--xen-syms",
    str(CAPTURE / "xen-syms.map.gz"),
)
OUTSIDE = ("0", "xen", "__2M_rwdata_end")
"""Xen's system call stubs lie beyond its code: the other program gave them to the last symbol."""


def buffers(session):
    return [str(CAPTURE / f"session{session}-buf-dom{domid}.bin.gz") for domid in (0, 1)]


def rows(session):
    return str(CAPTURE / f"session{session}-samples.txt.gz")


def run(program, *arguments):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        exit_code = program(list(arguments))
    return exit_code, out.getvalue(), err.getvalue()


def import_xenoprof(output, *arguments):
    exit_code, out, err = run(main, "import", "xenoprof", *SYMBOLS, "-o", str(output), *arguments)
    assert (0, "") == (exit_code, err)
    return out


@pytest.fixture(scope="module")
def session1(tmp_path_factory):
    output = tmp_path_factory.mktemp("session1")
    return output, import_xenoprof(output, *buffers(1), rows(1))


@pytest.fixture(scope="module")
def session2(tmp_path_factory):
    output = tmp_path_factory.mktemp("session2")
    earlier = [word for path in buffers(1) for word in ("--earlier", path)]
    return output, import_xenoprof(output, *buffers(2), *earlier)


def reported(archive):
    """Return counts by (domain, kind, symbol) as the other program writes them."""
    _, out, _ = run(opreport.main, f"archive:{archive}", "-l", "-n")
    found: Counter[tuple[str, str, str]] = Counter()
    for line in out.splitlines():
        samples, _, image, symbol = line.split(None, 3)
        passive = re.fullmatch(r"domain(\d+)-(kernel|xen|apps)", image)
        if passive:
            domain, kind = passive[1], passive[2]
        else:
            domain, kind = "0", {"xen-syms": "xen"}.get(image, "kernel")
            if image not in ("vmlinux", "xen-syms"):
                symbol += f" [{image}]"
        if kind == "apps":
            kind, symbol = "user", "<user>"
        found[domain, kind, symbol] += int(samples)
    return found


def symbolised(session):
    found: Counter[tuple[str, str, str]] = Counter()
    packed = (CAPTURE / f"session{session}-symbolised.txt.gz").read_bytes()
    for line in gzip.decompress(packed).decode().splitlines():
        if not line.startswith("#"):
            samples, _, domain, kind, symbol = line.split(None, 4)
            found[domain.removeprefix("dom"), kind, symbol.strip()] += int(samples)
    return found


def test_every_symbol_of_session_1_has_the_count_that_another_program_found(session1):
    assert symbolised(1) == reported(session1[0] / "Domain-0")


def test_every_symbol_of_session_2_has_the_count_that_another_program_found(session2):
    expected = symbolised(2)
    del expected[OUTSIDE]

    assert expected == reported(session2[0] / "Domain-0")


def test_a_passive_domain_has_an_archive_with_its_part_alone(session2):
    expected = {key: count for key, count in symbolised(2).items() if key[0] == "1"}

    assert expected == reported(session2[0] / "Domain-1")


def test_the_balance_of_a_session_without_losses_is_told(session1):
    output, told = session1

    assert (
        "domain 0 (active): 52 entries, 0 lost in full buffers\n"
        "domain 1 (passive): 4748 entries, 0 lost in full buffers\n"
        "entries: 4800 = 4800 kept + 0 lost in full buffers\n"
        "event 0: 1200 samples = 1200 stored\n"
        f"opreport archive:{output}/Domain-0 -l\n"
        f"opreport archive:{output}/Domain-1 -l\n"
    ) == told


def test_the_balance_tells_what_full_buffers_and_unknown_code_cost(session2):
    assert [
        "entries: 19952 = 12912 kept + 7040 lost in full buffers",
        "event 0: 3228 samples = 3221 stored + 7 outside of the kernel, its modules and Xen",
    ] == session2[1].splitlines()[2:4]


def test_reports_warn_of_the_lost_samples(session2):
    _, _, err = run(opreport.main, f"archive:{session2[0]}/Domain-0")

    assert "WARNING! The OProfile kernel driver reports sample buffer overflows." in err
    assert "note: 7047 samples were lost on the way" in err


def test_a_report_tells_each_loss_once_though_a_passive_domain_has_an_archive_of_its_own(
    session2, tmp_path
):
    output, told = session2
    lost = re.search(r"kept \+ (\d+) lost in full buffers", told)
    path = tmp_path / "report"
    run(main, "report", "--session", str(output), "--format", "json", "-o", str(path))
    assert lost is not None
    assert json.loads(path.read_text())["lost"]["ring_full"] == int(lost[1]) > 0


def test_the_statistics_have_the_file_that_the_real_opreport_looks_for_first(session2):
    stats = session2[0] / "Domain-0/var/lib/oprofile/samples/current/stats"

    assert (stats / "event_lost_overflow").read_text() == "0\n"


def test_reports_of_a_complete_session_warn_of_nothing_lost(session1):
    _, _, err = run(opreport.main, f"archive:{session1[0]}/Domain-0")

    assert "overflow" not in err
    assert "lost" not in err


def test_without_the_earlier_buffers_their_entries_are_told_to_be_missing(tmp_path):
    told = import_xenoprof(tmp_path / "out", *buffers(2))

    assert "not in these files: 4800 more entries that the buffers count (--earlier?)\n" in told


def test_lines_alone_give_the_same_report_without_losses(tmp_path, session2):
    told = import_xenoprof(tmp_path, rows(2))

    assert "domain 1 (passive): 8188 entries, losses unknown\n" in told
    assert reported(session2[0] / "Domain-0") == reported(tmp_path / "Domain-0")


def test_an_active_guest_has_a_session_of_its_own_in_which_its_kernel_is_vmlinux(tmp_path):
    told = import_xenoprof(tmp_path, rows(1), "--active", "0,1", "--name", "1=web/1")

    expected = {("0", *key[1:]): count for key, count in symbolised(1).items()
                if key[0] == "1" and key[1] != "user"}  # fmt: skip
    found = reported(tmp_path / "web%2F1")
    assert f"opreport archive:{tmp_path}/web%2F1 -l\n" in told
    assert {**expected, ("1", "user", "<user>"): 1126} == found


def test_the_same_capture_gives_the_same_sample_files(tmp_path, session1):
    import_xenoprof(tmp_path, *buffers(1))

    first, second = (
        {path.relative_to(top): path.read_bytes() for path in top.rglob("TIMER*")}
        for top in (session1[0], tmp_path)
    )
    assert first == second
    assert first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing"], "missing: no such file"),
        ([rows(1), "--event", "9"], "--event 9: the capture has entries of event 0, 1, 2, 3 only"),
        ([rows(1), "--active", "0,5"], "--active: the capture has no domain 5"),
        ([rows(1), "--active", "web"], "--active web: web is not the id of a domain"),
        ([rows(1), "--name", "web"], "--name web: N=NAME is wanted"),
        ([rows(1), "--name", "1=Domain-0"], "--name: two domains would share the archive"),
        ([rows(1), "--kallsyms", SYMBOLS[1]], "that kernel's symbols were given already"),
        ([rows(1), "--xen-syms", SYMBOLS[1]], "no hypervisor sample is in its code"),
        ([rows(1), "--kallsyms", "0=" + SYMBOLS[3]], "no domain 0 kernel sample is in its code"),
        ([rows(1), "--xen-syms", rows(1)], "line 1: not a symbol"),
        ([rows(1), "-o", "/dev/null"], "/dev/null"),
        ([rows(1), "--name", "1=" + "\u732b" * 80], "is too long for a directory"),
        ([rows(1), "-o", "taken"], "taken/Domain-0 exists already: remove it"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_1(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken" / "Domain-0").mkdir(parents=True)

    exit_code, out, err = run(main, "import", "xenoprof", *SYMBOLS, "-o", "out", *arguments)

    assert (1, "") == (exit_code, out)
    assert message in err
    assert 1 == len(err.splitlines())
    assert not (tmp_path / "out").exists()


def test_empty_rings_are_told(tmp_path):
    path = tmp_path / "dom0.bin"
    path.write_bytes(bytes(8) + b"\x04" + bytes(48 + 64 - 9))

    exit_code, _, err = run(
        main, "import", "xenoprof", *SYMBOLS, "-o", str(tmp_path / "o"), str(path)
    )

    assert (1, "xenprof: the capture holds no samples: all its rings are empty\n") == (
        exit_code,
        err,
    )
