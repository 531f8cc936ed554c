import os

import pytest

from hypervisor.live.agent.errors import Unavailable
from hypervisor.live.agent.xen.privcmd import PrivcmdDevice


def test_a_missing_device_says_where_to_run(tmp_path):
    with pytest.raises(Unavailable, match="domain 0"):
        PrivcmdDevice(str(tmp_path))


def test_memory_is_a_page_at_least_and_zero_where_the_kernel_gives_none(tmp_path):
    (tmp_path / "dev/xen").mkdir(parents=True)
    (tmp_path / "dev/xen/privcmd").touch()
    device = PrivcmdDevice(str(tmp_path))

    memory = device.memory(5000)

    assert (2 * 4096, 0) == (len(memory.data), memory.address % os.sysconf("SC_PAGE_SIZE"))
    assert bytes(8192) == bytes(memory.data[:8192])
    device.close()
