import io

import pytest

from hypervisor.live.agent.hypercalls import Xen
from hypervisor.live.agent.recording import Wanted, main, record
from hypervisor.live.agent.tracerings import RingsShared
from hypervisor.live.agent.tracing import Tracing
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fake_rings import FakeRings, change


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


def test_without_a_real_xen_the_command_says_what_is_missing(capsys, tmp_path):
    code = main([str(tmp_path / "a.bin")])

    assert 2 == code
    assert capsys.readouterr().err.startswith("xenprof-agent: trace: /dev/xen/privcmd: ")
    assert not (tmp_path / "a.bin").exists()
