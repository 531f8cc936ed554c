from pathlib import Path

import pytest

from tests.support.corefile import read_core
from tests.support.fake_hypervisor import GUEST, Bench, refusal


@pytest.fixture
def bench():
    bench = Bench()
    bench.create(GUEST)
    bench.fake.calls.clear()
    bench.log.take()
    return bench


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "core")


def test_the_result_is_the_path_of_a_core(bench, path):
    assert bench.result(bench.xend.domains.dump_core("web", path)) == path
    core = read_core(path)
    assert (core.vcpus, core.pages) == (2, 128 * 256)


def test_it_is_paused_meanwhile(bench, path):
    operation = bench.xend.domains.dump_core("web", path)
    paused = bench.fake.states[1].is_paused
    bench.result(operation)

    assert (paused, bench.fake.calls) == (True, [("pause", 1), ("unpause", 1)])


def test_a_live_dump_does_not_pause_it(bench, path):
    bench.result(bench.xend.domains.dump_core("web", path, live=True))

    assert bench.fake.calls == []


def test_a_paused_domain_stays_paused(bench, path):
    bench.xend.domains.pause("web")
    bench.result(bench.xend.domains.dump_core("web", path))

    assert bench.fake.states[1].is_paused


def test_crash_destroys_it_afterwards(bench, path):
    bench.result(bench.xend.domains.dump_core("web", path, crash=True))

    assert (bench.names(), Path(path).exists()) == ({0: "Domain-0"}, True)


def test_every_page_is_copied(bench, path):
    bench.result(bench.xend.domains.dump_core("web", path))

    assert bench.fake.copied_kib == 128 * 1024


def test_without_a_path_it_goes_below_domain_0s_root(bench, tmp_path):
    bench.xend.set_domain0_root(str(tmp_path), dumps_crashed=False)
    (tmp_path / "var/xen/dump").mkdir(parents=True, exist_ok=True)
    written = Path(bench.result(bench.xend.domains.dump_core("web")))

    assert written.parent == tmp_path / "var/xen/dump"
    assert "web.1" in written.name
    assert written.name.endswith(".core")


def test_without_a_path_or_a_root_it_is_refused(bench):
    assert "name a file" in refusal(bench.xend.domains.dump_core, "web")


def test_a_file_that_cannot_be_made_is_refused_and_the_domain_runs_on(bench, tmp_path):
    message = refusal(bench.xend.domains.dump_core, "web", str(tmp_path / "no/core"))

    assert "no/core" in message
    assert not bench.fake.states[1].is_paused


def test_a_domain_that_is_destroyed_meanwhile(bench, path):
    operation = bench.xend.domains.dump_core("web", path)
    bench.xend.domains.destroy("web")

    assert "destroyed while it was being dumped" in refusal(bench.result, operation)
    assert not Path(path).exists()
    assert len(bench.logged("ERROR (XendDomainInfo:1760) XendDomainInfo.dumpCore failed")) == 1


def test_domain_0_cannot_be_dumped(bench, path):
    assert (
        refusal(bench.xend.domains.dump_core, "0", path)
        == "Cannot dump core for privileged domain 0"
    )
