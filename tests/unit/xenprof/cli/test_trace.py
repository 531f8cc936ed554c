"""`xenprof trace` and `xenprof xenmon` against a small host, without a service in between."""

import base64
import gzip
import io
import os
import signal
from dataclasses import asdict
from pathlib import Path

import pytest

from hypervisor.errors import HostError
from tests.support.json_service import JsonService
from tests.support.model.hosts import MS, burst, cpu, domain, make_host
from tests.support.traces import FIXTURES, opened
from xenprof.cli import trace, xenmon
from xenprof.cli.main import main
from xenprof.client import ServiceError
from xenprof.errors import XenprofError
from xenprof.service.trace_readers import TraceReaders
from xenprof.trace.summary import summarise
from xenprof.trace.xenmon_text import LOG_HEADER
from xenprof.trace.xentrace30 import encode
from xenprof.wire.trace import TraceStarted, TraceTaken


class FakeClient(JsonService):
    """A client that answers like the service on this thread; it calls `at_wait` before waits."""

    def __init__(self, home) -> None:
        self.host = make_host(domain("a", cpu(), cpus="1"), domain("b", burst(3, 4)))
        self.readers = TraceReaders()
        self.waits = 0
        self.at_wait = lambda waits: None

    def answer_get(self, path):
        return {"mhz": 3200, **asdict(self.host.tracer.status()), "readers": self.readers.status()}

    def answer_post(self, path, body):
        try:
            return self._post(path.removeprefix("/api/v1/").split("/"), body)
        except (HostError, XenprofError) as error:
            raise ServiceError(str(error)) from None

    def _post(self, words, body):
        if words == ["wait"]:
            self.waits += 1
            self.at_wait(self.waits)
            self.host.advance(self.host.now_ns + round(body["seconds"] * 1e9))
            return {}
        if words[1] == "start":
            number = self.readers.start(
                self.host.tracer,
                event_mask=body["event_mask"],
                pcpu_mask=body.get("pcpu_mask", 3),
                ring_pages=body.get("ring_pages"),
                poll_ns=body["poll_ms"] * MS,
                threshold=body.get("threshold", 1),
            )
            return TraceStarted(number, self.host.now_ns, 3200)
        take = self.readers.read if words[2] == "read" else self.readers.stop
        records = take(self.host.tracer, int(words[1]))
        data = base64.b64encode(encode(records, 3200)).decode()
        return TraceTaken(self.host.now_ns, 3200, len(records), data)


@pytest.fixture
def client(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    made = FakeClient(tmp_path)
    for program in (trace, xenmon):
        monkeypatch.setattr(program, "Client", lambda home: made)
    return made


def test_a_recording_is_as_long_as_asked(client, tmp_path):
    assert main(["trace", "--for", "2s", "t.bin"]) == 0
    file = opened((tmp_path / "t.bin").read_bytes())
    summary = summarise(file.ordered()).finish(file.format, file.skipped_bytes)
    assert f"{summary.seconds(summary.last_tsc - summary.first_tsc):.1f}" == "2.0"
    assert (round(summary.mhz), summary.skipped_bytes) == (3200, 0)


def test_a_recording_is_the_same_each_time(client, tmp_path):
    main(["trace", "--for", "1s", "a.bin"])
    client.__init__(tmp_path)
    main(["trace", "--for", "1s", "b.bin"])
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes()


def test_afterwards_nothing_is_recorded_any_more(client):
    main(["trace", "--for", "1s", "t.bin"])
    assert client.host.tracer.status().event_mask == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_the_file_complete(client, tmp_path, number):
    def interrupt(waits):
        if waits == 4:
            client.host.advance(client.host.now_ns + 50 * MS)
            os.kill(os.getpid(), number)

    client.at_wait = interrupt
    assert main(["trace", "t.bin"]) == 0
    written = len((tmp_path / "t.bin").read_bytes()) // 60
    assert written == sum(client.host.tracer.status().emitted) > 100


def test_pcpus_and_events_are_chosen_by_masks(client, tmp_path):
    main(["trace", "-c", "0x2", "-e", "sched", "--for", "1s", "t.bin"])
    (records,) = opened((tmp_path / "t.bin").read_bytes()).chunks()
    assert ({1}, True) == (set(records.pcpu.tolist()), bool((records.event >> 12 == 0x2F).all()))


def test_the_ring_size_is_set_once(client, capsys):
    main(["trace", "-S", "40", "--for", "1s", "t.bin"])
    code = main(["trace", "-S", "50", "--for", "1s", "t.bin"])
    assert (code, capsys.readouterr().err) == (
        1,
        "xenprof: the trace buffers have 40 pages already, and their size can be set only once "
        "per boot: leave out -S\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "trace: a FILE is missing, or - for stdout"),
        (["-e", "x", "t.bin"], "-e x: 'x' is neither a mask nor one of: gen, sched, dom0op, vmx, mem, all"),
        (["--dump", "--summary", "x"], "trace: --dump or --summary, not both"),
        (["--dump", "none.bin"], "none.bin: No such file or directory"),
        (["--summary", "."], ".: Is a directory"),
        (["--for", "1s", "no/such/t.bin"], "trace: no/such/t.bin: No such file or directory"),
        (["--for", "1s", "/dev/full"], "trace: /dev/full: No space left on device"),
        (["-c", "4", "--for", "1s", "t.bin"], "the cpu mask 0x4 has none of the 2 cpus in it"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line(client, capsys, arguments, message):
    assert (main(["trace", *arguments]), capsys.readouterr().err) == (1, f"xenprof: {message}\n")


@pytest.mark.parametrize("option", ["-t", "-c", "-S"])
@pytest.mark.parametrize("value", ["0", "-1", "x"])
def test_a_number_is_one_from_1(client, capsys, option, value):
    assert main(["trace", f"{option}{value}", "t.bin"]) == 2
    assert f"'{value}' is not a number from 1, such as 15 or 0xf" in capsys.readouterr().err


@pytest.mark.parametrize("discard", ["-D", "--discard-buffers"])
def test_records_from_before_are_left_out_with_the_option_and_without(client, tmp_path, discard):
    client.host.advance(client.host.now_ns + 500 * MS)
    main(["trace", discard, "-e", "0x0002f000", "--for", "100ms", "a.bin"])
    client.__init__(tmp_path)
    client.host.advance(client.host.now_ns + 500 * MS)
    main(["trace", "-e", "0x0002f000", "--for", "100ms", "b.bin"])

    (records,) = opened((tmp_path / "a.bin").read_bytes()).chunks()
    assert int(records.tsc.min()) * 1000 // 3200 >= 500 * MS
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes()


class _Piped(io.RawIOBase):
    """Standard input as a pipe gives it: a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self._data.read(min(len(buffer), 1000))
        buffer[: len(data)] = data
        return len(data)


def _pipe(monkeypatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(_Piped(data))))


@pytest.mark.parametrize("option", ["--dump", "--summary"])
@pytest.mark.parametrize("is_new", [True, False], ids=["4.x", "3.0.3"])
def test_standard_input_is_read_as_a_file_is(client, monkeypatch, capsys, option, is_new):
    if is_new:
        data = gzip.decompress((FIXTURES / "sched-5s.bin.gz").read_bytes())
        Path("t.bin").write_bytes(data)
    else:
        main(["trace", "--for", "1s", "t.bin"])
    codes = [main(["trace", option, "t.bin"])]
    expected = capsys.readouterr().out
    _pipe(monkeypatch, Path("t.bin").read_bytes())
    codes.append(main(["trace", option, "-"]))

    assert ([0, 0], expected) == (codes, capsys.readouterr().out)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the trace is empty"),
        (b"hello " * 99, "not a trace of xentrace, neither of Xen 3.0 nor of a later one"),
    ],
)
def test_standard_input_that_is_no_trace_is_told(monkeypatch, capsys, data, message):
    _pipe(monkeypatch, data)

    assert 1 == main(["trace", "--dump", "-"])
    assert f"xenprof: standard input: {message}\n" == capsys.readouterr().err


def test_a_closed_standard_input_is_told(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", None)

    assert 1 == main(["trace", "--dump", "-"])
    assert "xenprof: standard input: is closed\n" == capsys.readouterr().err


def test_a_dump_prints_every_record(tmp_path, capsys):
    path = tmp_path / "real.bin"
    path.write_bytes(gzip.decompress((FIXTURES / "sched-5s.bin.gz").read_bytes()))
    assert (main(["trace", "--dump", str(path)]), capsys.readouterr().out.count("\n")) == (0, 12243)


def test_a_damaged_file_says_what_was_skipped(tmp_path, capsys):
    path = tmp_path / "real.bin"
    path.write_bytes(gzip.decompress((FIXTURES / "sched-5s.bin.gz").read_bytes())[:-2])
    main(["trace", "--summary", str(path)])
    assert capsys.readouterr().err.startswith(f"xenprof: {path}: skipped ")


# xenmon


def columns(path):
    header, *rows = path.read_text().splitlines()
    assert header == LOG_HEADER
    return [[float(word) for word in row.split()] for row in rows]


def test_a_log_has_a_row_for_each_interval(client, tmp_path):
    assert main(["xenmon", "-n", "-p", "x", "-t", "3", "-i", "500"]) == 0
    rows = columns(tmp_path / "x-dom1.log")
    per_cpu = {int(row[1]) for row in rows}
    assert [500.0] * 6 == [row[0] for row in rows if row[1] == min(per_cpu)][:6]


def test_an_interval_may_be_longer_than_what_the_screen_shows(client, tmp_path):
    main(["xenmon", "-n", "-t", "30", "-i", "15000", "--ms_per_sample", "50"])
    rows = columns(tmp_path / "log-dom1.log")
    assert (rows[0][0], sum(row[4] for row in rows[:1])) == (15000, pytest.approx(90, abs=11))


def test_the_time_of_each_cpu_in_the_logs_is_whole(client, tmp_path):
    main(["xenmon", "-n", "-t", "2"])
    rows = [row for path in tmp_path.glob("log-*.log") for row in columns(path)]
    for pcpu in (0, 1):
        assert sum(row[4] for row in rows if row[1] == pcpu) == pytest.approx(200, abs=2)


def test_the_idle_domain_has_a_file_of_its_own(client, tmp_path):
    main(["xenmon", "-n", "-t", "1"])
    assert (tmp_path / "log-idle.log").exists()


def test_a_screen_shows_the_domains(client, capsys):
    assert main(["xenmon", "--screens", "2", "--cpu", "1"]) == 0
    out = capsys.readouterr().out
    assert (out.count("CPU = 1"), "Execution count" in out) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-l", "-n"], "xenmon: -l or -n, not both"),
        (["-n", "-i", "250"], "xenmon: -i 250 is not a multiple of the 100 ms samples"),
        (["--cpu", "2", "--screens", "1"], "xenmon: --cpu 2: the host has cpus 0 to 1"),
        (["-n", "-p", "no/such/log"], "xenmon: no/such/log-dom0.log: No such file or directory"),
    ],
)
def test_what_xenmon_cannot_do_is_one_line(client, capsys, arguments, message):
    code = main(["xenmon", *arguments])
    assert (code, capsys.readouterr().err) == (1, f"xenprof: {message}\n")


def test_both_programs_read_at_the_same_time(client, tmp_path):
    lengths = []

    def record(waits):
        if waits == 1:
            lengths.append(main(["trace", "--for", "1s", "t.bin"]))

    client.at_wait = record
    assert (main(["xenmon", "-n", "-t", "2"]), lengths) == (0, [0])
    assert len(columns(tmp_path / "log-dom1.log")) >= 2
