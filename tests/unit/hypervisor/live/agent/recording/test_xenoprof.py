import pytest

from hypervisor.live.agent.errors import Unavailable
from hypervisor.live.agent.recording.xenoprof import Wanted, main, sampled
from hypervisor.live.agent.xenoprof.buffers import BufferShared
from tests.support.live.fakes import FakeClock, FakeStore
from tests.support.live.profiled import DB, WEB, ProfiledHost

NAMES = {"/local/domain/0/name": "Domain-0", "/local/domain/1/name": "web"}
EVENT = "event CPU_CLK_UNHALTED 26262626 0"


class Bench:
    """A host that is sampled for some looks; `at_look` happens before each."""

    def __init__(self):
        self.host = ProfiledHost()
        self.xenoprof = self.host.xenoprof
        self.clock = FakeClock()
        self.looks = 0
        self.told = []
        self.at_look = lambda: None

    def wait(self, seconds):
        self.looks += 1
        self.clock.now += round(seconds * 1e9)
        self.at_look()
        return False

    def sampled(self, seconds=1.0, wait=None):
        return sampled(
            self.host.privcmd, FakeStore(dict(NAMES)), self.clock, Wanted(seconds),
            wait or self.wait, self.told.append,
        )  # fmt: skip


@pytest.fixture
def bench():
    return Bench()


def test_all_domains_are_sampled_for_a_time(bench):
    def look():
        bench.xenoprof.sample(0, 0, 0xFFFF82D040201940, mode=2)
        bench.xenoprof.sample(WEB, 1, 0x401000)

    bench.at_look = look
    _, text = bench.sampled()

    lines = text.splitlines()
    zeros = "00000000-0000-0000-0000-00000000000"
    assert ["xenprof xenoprof 1", "cpu_type i386/arch_perfmon", EVENT] == lines[:3]
    assert "duration_ns 1000000000" in lines
    assert [
        f"domain 0 {zeros}0 Domain-0", f"domain 1 {zeros}1 web", f"domain 2 {zeros}2 Domain-2",
        f"sample 0 {zeros}0 0 xen 0xffff82d040201940 20", f"sample 1 {zeros}1 1 user 0x401000 20",
    ] == lines[-5:]  # fmt: skip


def test_it_is_told_when_it_has_begun(bench):
    bench.sampled()

    assert ["sampling by CPU_CLK_UNHALTED:26262626, domain 0 and 2 guests"] == bench.told


def test_who_is_told_to_end_ends_and_leaves_xenoprof_as_it_was(bench):
    def wait(seconds):
        bench.xenoprof.sample(WEB, 0, 7)
        return True

    samples, _ = bench.sampled(1000.0, wait)

    assert ([1], None) == (list(samples.counts.values()), bench.xenoprof.primary)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_whatever_ends_it_xen_counts_no_longer(bench, error):
    def wait(seconds):
        raise error

    with pytest.raises(error):
        bench.sampled(1000.0, wait)

    assert bench.xenoprof.primary is None


def test_what_buffers_have_lost_is_in_the_file_and_everything_adds_up(bench):
    taken = []

    def look():
        for pc in range(6000):  # there is room for 4092 samples of one of two vcpus
            bench.xenoprof.sample(DB, 0, pc, mode=pc % 3, counter=pc % 2)
            taken.append(pc)

    bench.at_look = look
    samples, text = bench.sampled(0.1)

    kept = sum(samples.counts.values()) + samples.unasked
    lost = sum(samples.lost.values())
    assert (len(taken), 2 * 4092, []) == (kept + lost, kept, samples.problems)
    assert f"lost 2 00000000-0000-0000-0000-000000000002 {lost}" in text.splitlines()


def test_another_program_that_takes_xenoprof_over_ends_it(bench):
    def look():
        bench.xenoprof.sample(WEB, 0, 7)
        bench.xenoprof.sample(WEB, 0, 8)
        bench.xenoprof.buffers[WEB].at(0)[4:8] = b"\x01\0\0\0"

    bench.at_look = look

    with pytest.raises(BufferShared):
        bench.sampled()


def test_a_refusal_is_no_profile(bench):
    bench.xenoprof.cpu_type = ""

    with pytest.raises(Unavailable, match="does not know this processor"):
        bench.sampled()


@pytest.mark.parametrize(
    "options", [["--for", "nan"], ["--hertz", "0"], ["--hertz", "10001"], ["-x"]]
)
def test_an_option_that_cannot_be_is_told_in_one_line(capsys, options):
    with pytest.raises(SystemExit) as ended:
        main(["a.txt", *options])

    assert (2, 1) == (ended.value.code, len(capsys.readouterr().err.splitlines()))
