"""`xenprof top` in batch mode; its screen is tested beside its parts."""

import os
from dataclasses import replace

import pytest

from tests.support.talk_host import HOST, SECOND, FakeClient
from tests.support.xentop_screen import later
from xenprof.cli import top
from xenprof.cli.main import main
from xenprof.xentop.recording import HEAD, Look, Recorder, to_line


@pytest.fixture
def run(monkeypatch, capsys):
    def called(*words, hosts=(HOST,), client=None):
        service = client or FakeClient(hosts=list(hosts))
        monkeypatch.setattr(top, "Client", lambda home, timeout=None: service)
        code = main(["top", *words])
        return code, *capsys.readouterr()

    return called


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "host.rec"
    looks = [Look(n * SECOND, later(HOST, n, DesktopVM=0.5 * n)) for n in range(3)]
    path.write_bytes(HEAD + b"".join(map(to_line, looks)))
    return path


FIRST = """\
        NAME  STATE   CPU(sec) CPU(%) STEAL(%) CAPPED(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) NETRX(k) VBDS   VBD_OO   VBD_RD   VBD_WR  VBD_RSECT  VBD_WSECT
   DesktopVM --b---          7      -        -         -     524288   12.5     524288      12.5     1    1     1000     2000    2        4      729       31          0          0
"""


def cells(out, name, number):
    """Return a column of a domain, one cell for each table."""
    return [line.split()[number] for line in out.splitlines() if line.split()[0] == name]


def test_the_first_table_makes_no_percentage_up(run):
    assert run("-b", "-i", "1")[1].startswith(FIRST)


def test_tables_are_a_delay_of_model_time_apart(run):
    client = FakeClient(hosts=[HOST, later(HOST, 2, DesktopVM=1)])
    code, out, _ = run("-b", "-i", "2", "-d", "2", client=client)

    assert (0, ["-", "50.0"], [("/api/v1/wait", {"seconds": 2.0})]) == (
        code,
        cells(out, "DesktopVM", 3),
        client.posts,
    )


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("-n", "Net0 RX:  2048000bytes"),
        ("-x", "VBD BlkBack 51712"),
        ("-v", "VCPUs(sec):"),
        ("--pcpus", "4 pcpus, how busy they are is not known yet"),
        ("--sources", "DATA            FROM"),
    ],
)
def test_an_option_adds_lines(option, line, run):
    assert any(one.startswith(line) for one in run("-b", "-i", "1", option)[1].splitlines())


def test_a_table_is_sorted_by_the_column_that_is_named(run):
    _, out, _ = run("-b", "-i", "1", "-s", "mem")

    assert "Domain-0" == out.splitlines()[1].split()[0]


def test_what_is_seen_is_recorded_and_shown_again(run, tmp_path):
    path = tmp_path / "new.rec"
    hosts = [HOST, later(HOST, 3, DesktopVM=1.5), later(HOST, 6, ossvm02=3)]
    seen = run("-b", "-i", "3", "--record", str(path), hosts=hosts)

    assert seen == run("-b", "--replay", str(path))


def test_a_replay_needs_no_service_and_does_not_wait(run, recording):
    client = FakeClient(answers=None)
    code, out, _ = run("-b", "--replay", str(recording), client=client)

    assert (0, ["-", "50.0", "50.0"], []) == (code, cells(out, "DesktopVM", 3), client.posts)


def test_a_replay_ends_after_so_many_looks(run, recording):
    _, out, _ = run("-b", "-i", "2", "--replay", str(recording))

    assert 2 == len(cells(out, "DesktopVM", 3))


def test_a_recording_that_was_cut_is_told(run, recording):
    os.truncate(recording, recording.stat().st_size - 5)
    code, out, error = run("-b", "--replay", str(recording))

    assert (0, 2, f"note: {recording} was cut: its last whole look is number 2\n") == (
        code,
        len(cells(out, "DesktopVM", 3)),
        error,
    )


def test_a_damaged_look_is_told_and_left_out(run, tmp_path):
    path = tmp_path / "x.rec"
    path.write_bytes(HEAD + b"[]\n" + to_line(Look(0, HOST)))
    code, out, error = run("-b", "--replay", str(path))

    assert (0, 1, True) == (
        code,
        len(cells(out, "DesktopVM", 3)),
        error.startswith(f"note: {path}: look 1 is damaged"),
    )


def test_what_was_not_recorded_any_more_is_told(run, tmp_path):
    path = tmp_path / "new.rec"
    *_, error = run("-b", "-i", "1", "--record", str(path), "--record-limit", "100")

    assert f"note: not all was recorded: {path} has reached 100 bytes\n" == error


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["-i", "1"], 1, "xenprof: top: not a terminal; use -b\n"),
        (
            ["-b", "--record", "a", "--replay", "b"],
            1,
            "xenprof: top: --record or --replay, not both\n",
        ),
        (["-b", "--host", "a", "--replay", "b"], 1, "xenprof: top: --host or --replay, not both\n"),
        (["-b", "--replay", "/no/such"], 1, "xenprof: /no/such: No such file or directory\n"),
    ],
)
def test_what_cannot_be_done_is_one_line(run, words, code, message):
    assert (code, "", message) == run(*words)


def test_a_recording_without_a_look_is_told(run, tmp_path):
    path = tmp_path / "x.rec"
    path.write_bytes(HEAD)

    assert (1, "", f"xenprof: {path} holds no whole look\n") == run("-b", "--replay", str(path))


def test_names_from_a_recording_cannot_write_on_a_terminal(run, tmp_path):
    path = tmp_path / "x.rec"
    evil = replace(
        HOST, host="\x1b[2J", domains=(replace(HOST.domains[0], domid=1, name="a\x1b]0;b\x07"),)
    )
    recorder = Recorder(path, 10**6)
    recorder.add(Look(0, evil))
    recorder.close()
    _, out, _ = run("-b", "--sources", "--replay", str(path))

    assert all(letter == "\n" or letter.isprintable() for letter in out)
