import pytest

from hypervisor.telemetry import PcpuSnapshot
from tests.support.capturing import host
from xenprof.capture.hosttable import HostTable, Topology, topology_of


def pcpus(count):
    return tuple(map(PcpuSnapshot, range(count)))


def table(**fields):
    return HostTable(host(**fields), Topology(1, 2, 1))


def notes(found):
    return [str(note) for note in found]


def test_a_topology_that_the_model_has_is_taken_as_it_is():
    seen = host(sockets=2, cores_per_socket=4, threads_per_core=2, pcpus=pcpus(16))

    assert (Topology(2, 4, 2), []) == topology_of(seen, 1)


@pytest.mark.parametrize(
    ("shape", "rounded"),
    [
        ((2, 32, 2), Topology(1, 16, 2)),
        ((4, 12, 1), Topology(2, 12, 1)),
        ((1, 64, 1), Topology(1, 32, 1)),
    ],
)
def test_a_larger_host_gets_32_pcpus_and_that_is_told(shape, rounded):
    sockets, cores, threads = shape
    count = sockets * cores * threads
    seen = host(
        sockets=sockets, cores_per_socket=cores, threads_per_core=threads, pcpus=pcpus(count)
    )

    found, told = topology_of(seen, 1)

    assert rounded == found
    assert [
        f"host: {count} pcpus: the model has {rounded.pcpus}, so the shares cannot all agree"
    ] == (notes(told))


def test_pcpus_that_are_off_are_left_out():
    seen = host(sockets=1, cores_per_socket=4, threads_per_core=2, pcpus=pcpus(4))

    found, told = topology_of(seen, 1)

    assert Topology(1, 4, 1) == found
    assert ["host: 1 x 4 x 2 processors, 4 of them on: here 1 x 4 x 1 processors"] == notes(told)


def test_an_unknown_number_of_pcpus_is_what_all_that_ran_needs():
    seen = host(sockets=None, pcpus=())

    assert Topology(1, 3, 1) == topology_of(seen, 3)[0]


@pytest.mark.parametrize(
    ("version", "rules"),
    [((3, 0), "3.0.3"), ((3, 1), "3.1"), ((4, 17), "3.1"), ((None, None), "3.1")],
)
def test_the_nearest_rules_are_those_of_3_1_but_for_3_0(version, rules):
    found = table(xen_major=version[0], xen_minor=version[1])

    assert rules == found.settings["hypervisor"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"xen_minor": 17}, "Xen 4.17: the rules of 3.1 for scheduler and drivers are the nearest"),
        ({"scheduler": "credit2"}, "scheduler 'credit2': credit is the nearest"),
        ({"scheduler": None}, "the scheduler is unknown: credit"),
        ({"cpu_type": "AuthenticAMD"}, "processor 'AuthenticAMD': hammer is the nearest"),
        ({"cpu_type": None}, "the processor is unknown: core_2"),
        ({"mhz": 20_000}, "20000 MHz: 10000 here"),
        ({"mhz": None}, "the clock rate is unknown: the default"),
    ],
)
def test_what_was_rounded_is_told(fields, told):
    assert f"host: {told}" in notes(table(**fields).notes)


def test_nothing_is_told_of_a_host_like_the_model():
    fields = {"cpu_type": "core_2", "xen_major": 3, "xen_minor": 1, "tools": "3.1"}

    assert [] == table(**fields).notes
