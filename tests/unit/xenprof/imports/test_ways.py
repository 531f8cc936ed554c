"""The ways in which a host can be profiled."""

import pytest

from hypervisor.live.agent.xenoprof.claim import claimed
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.fake_xenoprof import FakeXenoprof
from xenprof.imports import ways as module
from xenprof.imports.perfdriver import PerfFailed, sampled
from xenprof.imports.ways import PMU_MODE, ways

PERF = """#!/bin/sh
echo "$1 $(cat {mode})" >> {log}
case $1 in
record) [ "{fails}" = "" ] || {{ echo 'cycles: not supported' >&2; exit 1; }} ;;
script) echo 'sleep 7 [000] 1.000001: 1 cycles: ffffffff8107f2a1 schedule ([kernel.kallsyms])' ;;
esac
"""


def lacks(root, path="/nonexistent"):
    return {one.name: one.lacks for one in ways(root, path)}


def with_pmu(root, mode="self"):
    file = root / PMU_MODE
    file.parent.mkdir(parents=True)
    file.write_text(mode)
    return file


def with_perf(root, fails=""):
    program = root / "perf"
    program.write_text(PERF.format(mode=root / PMU_MODE, log=root / "log", fails=fails))
    program.chmod(0o755)
    return str(program)


def test_a_machine_without_xen_lacks_all_and_says_what(tmp_path):
    found = lacks(tmp_path)

    assert found["perf"] == "this is no domain 0 of Xen"
    told = f"there is no {tmp_path}/dev/xen/privcmd: run this in domain 0"
    assert (told, told) == (found["xenoprof"], found["contexts"])


def test_a_domain_0_without_a_pmu_is_told_how_to_get_one(tmp_path):
    device = tmp_path / "dev/xen/privcmd"
    device.parent.mkdir(parents=True)
    device.touch()

    assert lacks(tmp_path)["perf"].startswith("Xen gives this domain no PMU: boot it with vpmu=on")


def test_a_pmu_that_is_off_is_told(tmp_path):
    with_pmu(tmp_path, "off\n")

    assert "Xen's PMU is off: boot it with vpmu=on" == lacks(tmp_path)["perf"]


def test_perf_lacks_nothing_where_there_are_a_pmu_and_the_program(tmp_path):
    with_pmu(tmp_path)
    with_perf(tmp_path)

    assert ("there is no program perf", None) == (
        lacks(tmp_path)["perf"],
        lacks(tmp_path, str(tmp_path))["perf"],
    )


@pytest.fixture
def device(tmp_path):
    path = tmp_path / "dev/xen/privcmd"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


@pytest.mark.parametrize(
    ("cpu_type", "told"),
    [
        ("i386/arch_perfmon", None),
        ("", "Xenoprof: it does not know this processor (ENODEV): it knows those of Intel with "),
    ],
)
def test_xenoprof_lacks_what_the_hypervisor_says(tmp_path, device, monkeypatch, cpu_type, told):
    xenoprof = FakeXenoprof(cpu_type=cpu_type)
    privcmd = FakePrivcmd(xenoprof=xenoprof)
    monkeypatch.setattr(module, "PrivcmdDevice", lambda root: privcmd)
    found = lacks(tmp_path)["xenoprof"]

    assert (told, None) == (found and found[: len(told)], xenoprof.primary)


def test_xenoprof_that_another_process_uses_is_told(tmp_path, device):
    with claimed(str(tmp_path)):
        found = lacks(tmp_path)["xenoprof"]

    assert "Xenoprof: another xenprof uses it, and it serves one at a time; wait for it" == found


def test_a_way_after_the_one_that_works_is_not_looked_into(tmp_path, device):
    with_pmu(tmp_path)
    with_perf(tmp_path)
    device.unlink()

    assert "perf" == next(iter(ways(tmp_path, str(tmp_path)))).name


def test_perf_samples_everything_and_puts_the_mode_back(tmp_path):
    file = with_pmu(tmp_path)
    text = sampled(0, 99, tmp_path, with_perf(tmp_path))

    assert (True, "self", "record all\nscript all\n") == (
        b"schedule" in text,
        file.read_text(),
        (tmp_path / "log").read_text(),
    )


def test_perf_that_fails_is_told_in_its_own_words_and_the_mode_is_put_back(tmp_path):
    file = with_pmu(tmp_path)

    with pytest.raises(PerfFailed, match="perf record: cycles: not supported"):
        sampled(0, 99, tmp_path, with_perf(tmp_path, fails="yes"))

    assert "self" == file.read_text()
