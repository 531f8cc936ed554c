import contextlib
import fcntl
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from hypervisor.live.agent.web import listening
from hypervisor.live.agent.web.listening import (
    Address,
    CannotListen,
    is_loopback,
    on_address,
    on_path,
    parse,
)
from tests.support.live.agent_parts import PATIENCE_SECONDS


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:10032", Address("127.0.0.1", 10032)),
        ("[::1]:0", Address("::1", 0)),
        ("localhost:65535", Address("localhost", 65535)),
        (":10032", Address("", 10032)),
    ],
)
def test_an_address_is_read_and_written(text, address):
    assert (address, text) == (parse(text), str(address))


@pytest.mark.parametrize(
    "text", ["", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "a:x", "::1:80", "a:-1", "a:\u0663"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match=r"ADDRESS:PORT|brackets"):
        parse(text)


@pytest.mark.parametrize(
    ("host", "is_ours"), [("127.0.0.1", True), ("127.1.2.3", True), ("0.0.0.0", False), ("", False)]
)
def test_who_can_reach_an_address_is_known(host, is_ours):
    listeners = on_address(Address(host, 0))
    found = [is_loopback(listener) for listener in listeners]
    for listener in listeners:
        listener.close()

    assert {is_ours} == set(found)


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(CannotListen, match=f"cannot listen on {address}: Address already"):
            on_address(address)


@pytest.mark.parametrize("host", ["..", "a" * 70, "caf\udce9"])
def test_what_cannot_be_a_name_is_told(host):
    with pytest.raises(CannotListen, match="cannot listen on "):
        on_address(Address(host, 80))


def test_a_socket_of_a_file_is_its_owners_alone_and_goes_again(tmp_path):
    path = tmp_path / "agent.sock"
    with on_path(str(path)):
        mode = path.stat().st_mode

    assert (True, 0o600, False) == (stat.S_ISSOCK(mode), stat.S_IMODE(mode), path.exists())


def test_what_a_killed_agent_left_is_replaced(tmp_path):
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with on_path(str(path)), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_the_socket_of_another_agent_is_left_to_it(tmp_path):
    path = tmp_path / "agent.sock"
    with on_path(str(path)):
        with pytest.raises(CannotListen, match="another agent listens there"), on_path(str(path)):
            pass
        assert path.exists()


def test_of_two_agents_that_start_at_once_one_listens(tmp_path, monkeypatch):
    """One looks whether a socket is dead while the other is where it has removed the same one."""
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    looking = threading.Barrier(2)
    unlink = Path.unlink

    def late(self):
        with contextlib.suppress(threading.BrokenBarrierError):
            looking.wait(0.5)  # so long for the other to come as far
        unlink(self)

    def listen():
        with contextlib.suppress(CannotListen), on_path(str(path)):
            heard.append(path)
            done.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(Path, "unlink", late)
    heard: list[Path] = []
    done = threading.Event()
    threads = [threading.Thread(target=listen) for _ in range(2)]
    for thread in threads:
        thread.start()
    threads[0].join(1.5)
    threads[1].join(1.5)
    done.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)

    assert [path] == heard


def test_a_folder_that_another_program_locks_is_waited_for_no_longer_than_that(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(listening, "_LOCK_SECONDS", 0.0)
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with pytest.raises(CannotListen, match="temporarily unavailable"), on_path(f"{tmp_path}/a"):
        pass
    os.close(folder)


@pytest.fixture
def bounded():
    """Have calls of sockets that would wait for ever fail after a while."""
    socket.setdefaulttimeout(5.0)
    yield
    socket.setdefaulttimeout(None)


@pytest.mark.usefixtures("bounded")
def test_an_agent_that_many_wait_for_is_another_agent_too(tmp_path):
    path = str(tmp_path / "agent.sock")
    with on_path(path), contextlib.ExitStack() as waiting:
        with contextlib.suppress(BlockingIOError):
            while True:
                client = waiting.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)
                client.connect(path)
        with pytest.raises(CannotListen, match="another agent listens there"), on_path(path):
            pass


def test_a_file_that_is_no_socket_is_left_as_it_is(tmp_path):
    path = tmp_path / "notes"
    path.write_text("mine")
    with pytest.raises(CannotListen, match="no socket"), on_path(str(path)):
        pass

    assert "mine" == path.read_text()


def test_a_socket_that_somebody_has_put_there_since_stays(tmp_path):
    path = tmp_path / "agent.sock"
    with on_path(str(path)):
        path.unlink()
        path.write_text("other")

    assert "other" == path.read_text()
