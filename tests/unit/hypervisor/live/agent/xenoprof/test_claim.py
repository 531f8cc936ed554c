import pytest

from hypervisor.live.agent.errors import Unavailable
from hypervisor.live.agent.xenoprof.claim import claimed


@pytest.fixture
def root(tmp_path):
    device = tmp_path / "dev/xen/privcmd"
    device.parent.mkdir(parents=True)
    device.touch()
    return str(tmp_path)


def test_one_at_a_time_holds_it(root):
    with claimed(root), pytest.raises(Unavailable, match="another xenprof uses it"), claimed(root):
        pass


def test_who_has_ended_holds_it_no_longer(root):
    for _ in range(2):
        with claimed(root):
            pass
