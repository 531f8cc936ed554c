import threading

import pytest

from hypervisor.live.agent import opening
from hypervisor.live.agent.errors import Unavailable
from tests.support.live.fake_privcmd import FakePrivcmd


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


def test_a_host_that_is_sampled_says_so(device, tmp_path):
    host = opening.this_host(str(tmp_path))
    host.sample(100)
    report = host.poll()
    host.close()

    assert "sampled" == report.sources["runstates"]
    assert report.sampler is not None
    assert 10_000_000 == report.sampler.period_ns


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
