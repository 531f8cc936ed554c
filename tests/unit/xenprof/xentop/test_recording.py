import json
import os
import stat
from dataclasses import replace

import pytest

from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from tests.support.talk_host import HOST, SECOND
from tests.support.xentop_screen import later
from xenprof.xentop.forms import XENPROF
from xenprof.xentop.recording import HEAD, Look, Recorder, Recording, RecordingError, to_line
from xenprof.xentop.span import Span
from xenprof.xentop.table import summary, table
from xenprof.xentop.view import View

MUCH = 10**9
LOOKS = [Look(number * SECOND, later(HOST, number)) for number in range(1, 4)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "host.rec"


def record(path, *looks, limit=MUCH):
    recorder = Recorder(path, limit)
    for look in looks:
        recorder.add(look)
    recorder.close()
    return recorder


def times(path):
    recording = Recording(path)
    found = [recording.at(number).seen_unix_ns // SECOND for number in range(len(recording))]
    recording.close()
    return found


def test_what_was_recorded_is_shown_again(path):
    record(path, *LOOKS)
    recording = Recording(path)
    span = Span(recording.at(0).host).then(recording.at(2).host)
    recording.close()
    expected = Span(LOOKS[0].host).then(LOOKS[2].host)
    view = View(networks=True, vbds=True, vcpus=True)

    assert [summary(expected.now), list(table(expected, view, XENPROF))] == [
        summary(span.now),
        list(table(span, view, XENPROF)),
    ]


def test_what_is_unknown_stays_unknown():
    sparse = HostSnapshot(1, 2, 3, "xen", domains=(DomainSnapshot(1, "web"),))

    assert {
        "seen_unix_ns": 5,
        "host": {
            "generation": 1, "time_ns": 2, "unix_ns": 3, "host": "xen",
            "domains": [{"domid": 1, "name": "web"}],
        },
    } == json.loads(to_line(Look(5, sparse)))  # fmt: skip


def test_a_look_is_one_line_whatever_a_name_holds():
    evil = replace(HOST, domains=(DomainSnapshot(1, "a\nb\u2028\udc80"),))

    assert 1 == to_line(Look(0, evil)).count(b"\n")


def test_the_file_is_its_users_alone(path):
    record(path, LOOKS[0])

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_a_recording_is_gone_on_with(path):
    record(path, *LOOKS[:2])
    record(path, LOOKS[2])

    assert [1, 2, 3] == times(path)


def test_a_file_that_was_cut_is_read_to_its_last_whole_look(path):
    record(path, *LOOKS)
    os.truncate(path, path.stat().st_size - 10)
    recording = Recording(path)
    recording.close()

    assert (True, [1, 2]) == (recording.is_cut, times(path))


def test_a_recording_that_was_cut_is_gone_on_with_after_its_last_whole_look(path):
    record(path, *LOOKS[:2])
    os.truncate(path, path.stat().st_size - 10)
    record(path, LOOKS[2])

    assert [1, 3] == times(path)


def test_a_file_that_is_full_keeps_what_it_has(path):
    limit = len(HEAD) + len(to_line(LOOKS[0])) + 10
    recorder = record(path, *LOOKS[:2], limit=limit)

    assert (f"{path} has reached {limit} bytes", 1, [1]) == (
        recorder.trouble,
        recorder.records,
        times(path),
    )


def test_a_disk_that_fails_leaves_whole_looks(path, monkeypatch):
    recorder = Recorder(path, MUCH)
    recorder.add(LOOKS[0])
    write = os.write
    parts = [5]

    def failing(number, data):
        if parts:
            return write(number, data[: parts.pop()])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("xenprof.xentop.recording.os.write", failing)
    recorder.add(LOOKS[1])
    recorder.close()

    assert (f"{path}: No space left on device", [1]) == (recorder.trouble, times(path))


def test_another_file_is_not_touched(path):
    path.write_bytes(b"precious\n")

    with pytest.raises(RecordingError, match="is no recording of xenprof top"):
        Recorder(path, MUCH)
    assert b"precious\n" == path.read_bytes()


def test_a_symbolic_link_is_not_followed(path, tmp_path):
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        Recorder(path, MUCH)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("opened", [lambda path: Recorder(path, MUCH), Recording])
def test_a_fifo_is_no_file(path, opened):
    os.mkfifo(path)

    with pytest.raises((RecordingError, OSError)):
        opened(path)


def test_one_program_records_into_a_file(path):
    first = Recorder(path, MUCH)

    with pytest.raises(RecordingError, match="is being recorded into by another program"):
        Recorder(path, MUCH)
    first.close()


@pytest.mark.parametrize("text", [b"", b"something else\n", HEAD[:-1], b"\0" * 100])
def test_what_is_no_recording_is_not_read(path, text):
    path.write_bytes(text)

    with pytest.raises(RecordingError, match=r"host\.rec is no recording of xenprof top"):
        Recording(path)


HOSTILE = {
    b"[" * 100_000: "it is no JSON of such numbers",
    b"\xff\xfe": "it is no JSON of such numbers",
    b'{"seen_unix_ns":' + b"9" * 30 + b"}": "it is no JSON of such numbers",
    b"[]": "",
    b'{"seen_unix_ns":1}': "'host' is missing",
    b'{"seen_unix_ns":1,"host":{"generation":1,"time_ns":1,"unix_ns":10000000000000000000,"host":"x"}}': (
        "it has an impossible time"
    ),
    b'{"seen_unix_ns":1,"host":{"generation":1,"time_ns":1,"unix_ns":1,"host":["x"]}}': "host.host",
}


@pytest.mark.parametrize("line", HOSTILE)
def test_a_damaged_look_is_told(path, line):
    path.write_bytes(HEAD + line + b"\n" + to_line(LOOKS[0]))
    recording = Recording(path)

    with pytest.raises(RecordingError) as told:
        recording.at(0)
    recording.close()
    assert [f"{path}: look 1 is damaged", True] == [
        str(told.value)[: len(f"{path}: look 1 is damaged")],
        HOSTILE[line] in str(told.value),
    ]
