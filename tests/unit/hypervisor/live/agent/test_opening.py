import threading
import time

import pytest

from hypervisor.live.agent import opening
from hypervisor.live.agent.errors import Unavailable
from tests.support.live.agent_parts import PATIENCE_SECONDS
from tests.support.live.fake_privcmd import FakePrivcmd
from tests.support.live.machine import Domain, Vcpu


class Device(FakePrivcmd):
    is_closed = False

    def close(self):
        self.is_closed = True


@pytest.fixture
def device(monkeypatch):
    made = Device()
    monkeypatch.setattr(opening, "PrivcmdDevice", lambda root: made)
    return made


def test_a_host_says_by_which_interfaces_it_is_read(device, tmp_path):
    host = opening.this_host(str(tmp_path))

    assert "domctl 0x15, sysctl 0x15" == host.interface
    host.close()


def test_a_host_is_polled(device, tmp_path):
    host = opening.this_host(str(tmp_path))

    assert [1, 2] == [host.poll().serial for _ in range(2)]
    host.close()


def test_a_host_that_is_sampled_says_so_as_soon_as_a_vcpu_was(device, tmp_path):
    device.machine.domains.append(Domain(1, vcpus=[Vcpu(pcpu=1)]))
    host = opening.this_host(str(tmp_path))
    host.sample(100)
    first, *later = _until_sampled(host)
    host.close()

    assert "runstates" not in first.sources
    assert "sampled" == later[-1].sources["runstates"]
    assert 10_000_000 <= later[-1].sampler.period_ns


def _until_sampled(host):
    reports = [host.poll()]
    end = time.monotonic() + PATIENCE_SECONDS
    while "runstates" not in reports[-1].sources and time.monotonic() < end:
        reports.append(host.poll())
    return reports


def test_what_is_open_is_closed_and_sampling_ends(device, tmp_path):
    before = threading.active_count()
    host = opening.this_host(str(tmp_path))
    host.sample(100)
    host.close()

    assert (before, True) == (threading.active_count(), device.is_closed)


def test_a_device_that_nobody_can_use_is_closed(device, tmp_path):
    device.release = "9.99"
    with pytest.raises(Unavailable, match="0x12"):
        opening.this_host(str(tmp_path))

    assert device.is_closed


def test_without_a_device_it_is_told_what_to_do(tmp_path):
    with pytest.raises(Unavailable, match="run in domain 0 of a Xen host"):
        opening.this_host(str(tmp_path))
