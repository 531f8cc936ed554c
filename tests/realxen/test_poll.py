"""A poll of a real Xen, beside what its own programs tell."""

import re
from collections.abc import Sequence

import pytest

from hypervisor.live.agent.report.fields import DomainReport, HostReport, VbdReport
from tests.support.measured import measured
from tests.support.realxen.outside import OutsideAgent

GUESTS = ("web", "db", "batch", "idle1")
ROUNDED_NS = 100_000_000  # xl and xentop tell 0.1 s, rounded


@pytest.fixture(scope="module")
def told(busy, agent: OutsideAgent) -> tuple[HostReport, dict[str, str], HostReport]:
    """Return what the programs tell, between two reports."""
    commands = ("xl list", "xl vcpu-list", "xl info", "xentop -b -i 1 -v -n -x")
    before = agent.new_report()
    printed = {command: busy.run(command) for command in commands}
    return before, printed, agent.new_report()


def named(report: HostReport) -> dict[str | None, DomainReport]:
    return {domain.name: domain for domain in report.domains}


def rows(table: str) -> dict[str, list[str]]:
    """Return the rows of a table by their first word."""
    return {line.split()[0]: line.split() for line in table.splitlines() if line.strip()}


def test_domains_are_those_of_xl_list(told):
    before, printed, _ = told
    listed = {
        name: [int(word) for word in row[1:4]]
        for name, row in rows(printed["xl list"]).items()
        if name != "Name"
    }

    assert listed == {
        domain.name: [
            domain.domid,
            domain.memory_kib >> 10,
            sum(bool(vcpu.online) for vcpu in domain.vcpus),
        ]
        for domain in before.domains
    }


def test_processor_times_are_those_of_xl_vcpu_list(told):
    before, printed, after = named(told[0]), told[1], named(told[2])
    for name, _, vcpu, *_, seconds, _, _, _ in map(
        str.split, printed["xl vcpu-list"].splitlines()[1:]
    ):
        earlier, later = (one[name].vcpus[int(vcpu)].cpu_ns or 0 for one in (before, after))
        assert earlier - ROUNDED_NS <= float(seconds) * 1e9 <= later + ROUNDED_NS, name


@pytest.mark.parametrize("guest", ["web", "db", "batch"])
def test_pinning_is_that_of_xl_vcpu_list(told, guest):
    row = rows(told[1]["xl vcpu-list"])[guest]
    vcpu = named(told[0])[guest].vcpus[0]

    assert ["1", "1"] == [row[3], row[6]]
    assert (1, (1,)) == (vcpu.pcpu, vcpu.affinity)


def test_the_machine_is_that_of_xl_info(told):
    before, printed, _ = told
    info = dict(re.findall(r"^(\w+) +: (.*)$", printed["xl info"], re.MULTILINE))

    assert (info["xen_version"], info["xen_scheduler"], int(info["total_memory"])) == (
        f"{before.xen_major}.{before.xen_minor}{before.xen_extra}",
        before.scheduler,
        (before.memory_kib or 0) >> 10,
    )
    assert (int(info["nr_cpus"]), int(info["cores_per_socket"]), int(info["threads_per_core"])) == (
        len(before.pcpus),
        before.cores_per_socket,
        before.threads_per_core,
    )


@pytest.mark.parametrize("guest", GUESTS)
def test_memory_and_time_are_those_of_xentop(told, guest):
    before, printed, after = named(told[0]), told[1], named(told[2])
    row = rows(printed["xentop -b -i 1 -v -n -x"])[guest]
    seconds, memory_kib = float(row[2]), int(row[4])

    assert before[guest].memory_kib == memory_kib
    assert (
        measured(before[guest].cpu_ns) - 10 * ROUNDED_NS <= seconds * 1e9
    )  # xentop cuts the rest off
    assert seconds * 1e9 <= measured(after[guest].cpu_ns) + ROUNDED_NS


def test_counters_of_a_disk_are_those_of_xentop(told):
    before, printed, after = named(told[0]), told[1], named(told[2])
    found = re.search(
        r"VBD BlkBack 51712 .*OO: *(\d+) +RD: *(\d+) +WR: *(\d+) +RSECT: *(\d+) +WSECT: *(\d+)",
        printed["xentop -b -i 1 -v -n -x"],
    )
    assert found is not None
    shown = [int(number) for number in found.groups()]

    assert all(
        earlier <= one <= later
        for earlier, one, later in zip(
            counted(before["idle1"].vbds), shown, counted(after["idle1"].vbds), strict=True
        )
    )


def counted(vbds: Sequence[VbdReport] | None) -> list[int]:
    (vbd,) = measured(vbds)
    sectors = [(vbd.read_bytes or 0) // 512, (vbd.write_bytes or 0) // 512]
    return [vbd.out_of_requests or 0, vbd.read_requests or 0, vbd.write_requests or 0, *sectors]
