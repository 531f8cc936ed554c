import os
import socket

import pytest

from hypervisor.live.agent.process import notify


@pytest.mark.parametrize("prefix", ["", "@"], ids=["path", "abstract"])
def test_systemd_is_told(tmp_path, prefix):
    address = prefix + str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address.replace("@", "\0"))
        notify.tell(address, "READY=1")

        assert b"READY=1" == listener.recv(100)


@pytest.mark.parametrize("address", ["", "/nowhere/notify"])
def test_nobody_need_be_there(address):
    notify.tell(address, "READY=1")


def test_children_are_not_to_speak_for_the_agent(monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/notify")

    assert ("/run/notify", False) == (notify.take_address(), "NOTIFY_SOCKET" in os.environ)
