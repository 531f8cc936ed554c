import pytest

from hypervisor.telemetry import DomainSnapshot, HostSnapshot, VcpuSnapshot
from xenprof.advise.advice import Gauge
from xenprof.advise.places import gauged, quoted, steps

SECOND = 10**9


def host(seconds, ns, units):
    vcpus = (VcpuSnapshot(0, running_ns=ns), VcpuSnapshot(1, running_ns=ns))
    work = {"kind": "cpu", "units": units}
    web = DomainSnapshot(1, "web.1", vcpus=vcpus, workloads=(work,), page_ins=None)
    own = DomainSnapshot(0, "Domain-0", cpu_ns=ns)
    return HostSnapshot(1, seconds * SECOND, 0, "h", domains=(own, web))


BEFORE, AFTER = host(10, SECOND, 100), host(14, 2 * SECOND, 300)


@pytest.mark.parametrize(
    ("of", "how", "per", "expected"),
    [
        ("domain0.cpu_ns", "share", (), 25.0),
        ('domain."web.1".vcpus.*.running_ns', "share", (), 50.0),
        ('domain."web.1".vcpus.1.running_ns', "growth", (), SECOND),
        ('domain."web.1".workload.0.units', "per_second", (), 50.0),
        ('domain."web.1".workload.0.units', "growth", ("domain0.cpu_ns",), 200 / SECOND),
        ('domain."web.1".workload.1.units', "growth", (), None),
        ('domain."web.1".page_ins', "growth", (), None),
        ("domain.mail.cpu_ns", "growth", (), None),
    ],
)
def test_a_figure_is_read_off_two_snapshots(of, how, per, expected):
    assert expected == gauged(Gauge("g", "web.1", "", (of,), how, per), BEFORE, AFTER)


def test_nothing_by_nothing_is_unknown():
    same = Gauge("g", "", "", ("domain0.cpu_ns",), "growth", ("domain0.cpu_ns",))
    assert gauged(same, BEFORE, BEFORE) is None


def test_a_name_with_dots_is_one_step():
    assert ["domain", "web.1", "cap"] == steps(f"domain.{quoted('web.1')}.cap")
