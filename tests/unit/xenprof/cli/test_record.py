"""`xenprof record` where there is no Xen."""

import contextlib

import pytest

from hypervisor.live.agent.domain0 import xenstore as stores
from hypervisor.live.agent.process import clock as clocks
from hypervisor.live.agent.recording import untiltold
from hypervisor.live.agent.xen import privcmd as devices
from hypervisor.live.agent.xenoprof import claim
from tests.support.importing import by_symbol, profile, run
from tests.support.live.fakes import FakeClock, FakeStore
from tests.support.live.profiled import WEB, ProfiledHost
from xenprof.cli import record
from xenprof.cli.main import main
from xenprof.imports.ways import CONTEXTS, PERF, XENOPROF, Way


def test_each_way_says_what_it_lacks_here(tmp_path):
    code, out, err = run(main, "record", "-o", tmp_path / "out")

    assert (1, "") == (code, out)
    assert "record: nothing can be profiled here: perf: this is no domain 0" in err
    assert "contexts: there is no /dev/xen/privcmd: run this in domain 0" in err


def test_one_way_alone_can_be_asked_for(tmp_path):
    _, _, err = run(main, "record", "-o", tmp_path / "out", "--by", "contexts")

    assert "perf" not in err


@pytest.fixture
def host(monkeypatch):
    """Have the host of this domain 0 be one that is made up, sampled while it is waited for."""
    host, clock = ProfiledHost(), FakeClock()
    store = FakeStore({"/local/domain/0/name": "Domain-0", "/local/domain/1/name": "web"})

    def wait(seconds):
        clock.now += round(seconds * 1e9)
        host.xenoprof.sample(0, 0, 0xFFFF82D040201940, mode=2)
        host.xenoprof.sample(WEB, 0, 0x401000)
        return False

    for module, name, stand_in in (
        (devices, "PrivcmdDevice", lambda: host.privcmd), (clocks, "Clock", lambda: clock),
        (stores, "Xenstore", lambda **_: store), (untiltold, "until_told", lambda: contextlib.nullcontext(wait)),
        (claim, "claimed", lambda: contextlib.nullcontext()),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, stand_in)
    return host


def test_it_says_which_way_it_goes_and_why_not_by_those_before(host, monkeypatch, tmp_path):
    found = [Way(PERF, "all", "there is no PMU"), Way(XENOPROF, "all"), Way(CONTEXTS, "guests")]
    monkeypatch.setattr(record, "ways", lambda names: iter(found))
    code, out, err = run(main, "record", "-o", tmp_path / "out", "--for", "1s")

    assert (0, [
        "not by perf: there is no PMU",
        "by xenoprof: all",
        "note: sampling by CPU_CLK_UNHALTED:26262626, domain 0 and 2 guests",
    ]) == (code, err.splitlines())  # fmt: skip
    assert "event CPU_CLK_UNHALTED: 40 samples = 40 stored" in out


def test_xenoprof_makes_archives_of_domain_0_and_guests(host, monkeypatch, tmp_path):
    xen = tmp_path / "xensyms"
    xen.write_text(
        "ffff82d040200000 T _stext\nffff82d040201940 T vcpu_wake\nffff82d040360783 T _etext\n"
    )
    monkeypatch.setattr(record, "ways", lambda names: iter([Way(XENOPROF, "all")]))
    run(main, "record", "-o", tmp_path / "out", "--for", "1s", "--xen-syms", xen)

    event = "CPU_CLK_UNHALTED:26262626:0"
    assert {
        ("Domain-0", "hypervisor", "/boot/xen-syms", "vcpu_wake", event): 20,
        ("web", "user", "/programs", "0x401000", event): 20,
    } == by_symbol(profile(tmp_path / "out"))


def test_a_refusal_while_it_begins_is_one_line(host, monkeypatch, tmp_path):
    host.xenoprof.is_watched = True
    monkeypatch.setattr(record, "ways", lambda names: iter([Way(XENOPROF, "all")]))
    code, _, err = run(main, "record", "-o", tmp_path / "out")

    assert 1 == code
    assert "record: Xenoprof: the interrupt of the counters is taken, as by the watchdog" in err
