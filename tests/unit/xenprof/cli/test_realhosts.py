from hypervisor.telemetry import HostSnapshot
from xenprof.cli.realhosts import started
from xenprof.service.reach import Reach


def hosts(count: int, *, is_up: bool = False) -> list[HostSnapshot]:
    return [
        HostSnapshot(1, 0, 0, f"xen{number}", is_up=is_up, unread_because="Connection refused")
        for number in range(count)
    ]


def unread(hosts: list[HostSnapshot]) -> list[str]:
    """Return what is noted of a service on these hosts."""
    line, notes = started("xen0", Reach("http://a/", is_everybodys=False), hosts)
    assert line == "xenprof: serving xen0 on http://a/"
    return notes.splitlines()


def test_who_can_read_it_is_told_first():
    reach = Reach("http://a/", is_everybodys=True)

    assert started("xen0", reach, hosts(1))[1].splitlines() == [reach.warning, *unread(hosts(1))]


def test_nothing_is_told_of_hosts_that_are_read():
    assert unread(hosts(2, is_up=True)) == []


def test_a_host_that_is_not_read_is_told_with_the_reason():
    assert unread(hosts(1)) == ["xenprof: nothing is read of xen0 yet: Connection refused"]


def test_of_many_hosts_some_are_named():
    lines = unread(hosts(9))

    assert (lines[2:], len(lines)) == (
        [
            "xenprof: nothing is read of xen2 yet: Connection refused",
            "xenprof: nor of 6 other hosts",
        ],
        4,
    )
