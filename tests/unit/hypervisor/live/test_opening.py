import logging

import pytest

from hypervisor.live.opening import opened
from hypervisor.live.sources.addresses import Address
from hypervisor.live.sources.source import Unreachable
from tests.support.live.hosts import HeldClock, MadeSource
from tests.support.live.reports import SECOND


def address(name: str, source: MadeSource) -> Address:
    return Address(name, f"ssh:{name}", lambda: source)


def test_hosts_are_read_inside_the_block_and_closed_after_it():
    sources = [MadeSource(HeldClock()) for _ in range(3)]
    found = [address(f"xen{number}", one) for number, one in enumerate(sources)]
    with opened(found, SECOND) as hosts:
        shown = [one.telemetry.snapshot() for one in hosts]

    assert [("xen0", True), ("xen1", True), ("xen2", True)] == [
        (one.host, one.is_up) for one in shown
    ]
    assert all(one.is_closed for one in sources)


def test_a_host_that_fails_is_open_too(caplog):
    caplog.set_level(logging.CRITICAL)
    source = MadeSource(HeldClock())
    source.failure = Unreachable("refused")
    with opened([address("xen0", source)], SECOND) as (host,):
        assert host.telemetry.snapshot().is_up is False


def test_a_machine_that_cannot_be_opened_is_an_error():
    def refuse():
        raise Unreachable("not dom0")

    with pytest.raises(Unreachable), opened([Address("a", "xen", refuse)], SECOND):
        pass
