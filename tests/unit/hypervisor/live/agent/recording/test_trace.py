import errno
import io

import pytest

from hypervisor.live.agent.recording import trace
from hypervisor.live.agent.recording.trace import Wanted, main, record
from hypervisor.live.agent.tracing.buffers import Tracing
from hypervisor.live.agent.tracing.rings import RingsShared
from hypervisor.live.agent.xen.hypercalls import Xen
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fake_rings import FakeRings, change
from tests.support.live.machine import Machine


class Bench:
    """A host whose time goes on only while the recording waits; then `at_wait` happens."""

    def __init__(self):
        self.privcmd = FakePrivcmd()
        self.machine = self.privcmd.machine
        self.rings = FakeRings(self.privcmd)
        self.out = io.BytesIO()
        self.seconds = 0.0
        self.is_told = False
        self.at_wait = lambda: self.rings.emit(1, change(7, 1, 0, 0, 1))

    def record(self, wanted):
        tracing = Tracing(Xen(self.privcmd), self.privcmd)
        return record(tracing, self.out, wanted, self._wait, lambda: self.seconds)

    def _wait(self, seconds):
        self.seconds += seconds
        self.at_wait()
        return self.is_told


@pytest.fixture
def bench():
    return Bench()


def test_a_recording_ends_after_its_time(bench):
    done = bench.record(Wanted(seconds=1.0, period_seconds=0.25))

    assert (1.0, 4 * 28, 0, False) == (bench.seconds, *done, bench.machine.is_traced)


def test_a_recording_ends_when_it_is_told(bench):
    bench.is_told = True

    done = bench.record(Wanted())

    assert (0.1, 28, False) == (bench.seconds, done.written_bytes, bench.machine.is_traced)


def test_lost_records_are_told(bench):
    def flood():
        for tsc in range(400):
            bench.rings.emit(0, change(tsc, 1, 0, 0, 1))

    bench.at_wait = flood

    assert 145 == bench.record(Wanted(seconds=0.2)).lost_records


def test_an_error_ends_the_trace_too(bench):
    def fail():
        raise OSError

    bench.at_wait = fail

    with pytest.raises(OSError, match=r"^$"):
        bench.record(Wanted())

    assert not bench.machine.is_traced


def test_what_another_program_has_taken_over_is_left_to_it(bench):
    bench.at_wait = lambda: bench.rings.set_counters(0, 16, 16)

    with pytest.raises(RingsShared):
        bench.record(Wanted())

    assert bench.machine.is_traced


@pytest.mark.parametrize(
    "options",
    [
        ["-S", "0"], ["-S", "-3"], ["-S", "99999999999"], ["-s", "-5"], ["-s", "0"], ["-T", "nan"],
        ["-T", "-1"], ["-c", "-1"], ["-c", "0"], ["-e", "0x1ffffffff"], ["-e", "rubbish"], ["-x"],
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_is_told_in_one_line(capsys, options):
    with pytest.raises(SystemExit) as ended:
        main(["a.bin", *options])

    assert (2, 1) == (ended.value.code, len(capsys.readouterr().err.splitlines()))


def test_a_mask_of_events_that_has_no_such_name_is_told_with_the_names_there_are(capsys):
    with pytest.raises(SystemExit):
        main(["a.bin", "-e", "foo"])

    assert "'foo' is not a whole number" in (told := capsys.readouterr().err)
    assert ", nor gen, sched, dom0op, all; see --help" in told


def test_a_trace_that_is_refused_leaves_the_file_that_was_there(monkeypatch, tmp_path):
    denied = {("sysctl", 2): errno.EPERM}
    monkeypatch.setattr(trace, "PrivcmdDevice", lambda: FakePrivcmd(Machine(), denied=denied))
    monkeypatch.setattr("hypervisor.live.agent.process.privileges.give_up", lambda but: [])
    file = tmp_path / "a.bin"
    file.write_bytes(b"yesterday")
    code = main([str(file), "-T", "1"])

    assert (2, b"yesterday") == (code, file.read_bytes())


def test_nobody_is_told_anything_where_stderr_is_closed(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)

    assert 2 == main(["-"])


def test_without_a_real_xen_the_command_says_what_is_missing(capsys, tmp_path):
    code = main([str(tmp_path / "a.bin")])

    assert 2 == code
    assert capsys.readouterr().err.startswith("xenprof-agent: trace: /dev/xen/privcmd: ")
    assert not (tmp_path / "a.bin").exists()
