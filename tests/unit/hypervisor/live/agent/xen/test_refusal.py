"""What is said of a privileged command device that may not be opened."""

import os

import pytest

from hypervisor.live.agent.errors import Unavailable
from hypervisor.live.agent.xen import privcmd


@pytest.mark.parametrize(
    ("user", "told"),
    [(1000, "run as root"), (0, "look whether the kernel is locked down (lockdown)")],
)
def test_who_is_not_root_is_told_so_and_nothing_of_lockdown(monkeypatch, user, told):
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(Unavailable) as refused:
        privcmd.PrivcmdDevice()

    assert str(refused.value).endswith(told)
