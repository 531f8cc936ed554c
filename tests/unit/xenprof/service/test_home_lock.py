import errno
import os
import socket

import pytest

from xenprof.service.home_lock import HomeLock, listen_on_address
from xenprof.service.own_home import CannotServe


def test_an_answer_is_sent_at_once_since_asyncio_sees_that_the_listener_is_tcp():
    with listen_on_address("127.0.0.1:0") as listener:
        assert socket.IPPROTO_TCP == listener.proto


def full(fd, data):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_lock_that_cannot_be_written_is_told_with_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "write", full)

    with pytest.raises(CannotServe, match=rf"^{tmp_path}/serve.lock .*: No space left on device$"):
        HomeLock(tmp_path)


def test_a_lock_that_could_not_be_written_can_be_taken_again(tmp_path, monkeypatch):
    with monkeypatch.context() as patched, pytest.raises(CannotServe):
        patched.setattr(os, "write", full)
        HomeLock(tmp_path)

    HomeLock(tmp_path).release()


def test_a_url_that_cannot_be_noted_is_no_reason_to_end(tmp_path, monkeypatch, caplog):
    lock = HomeLock(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        lock.note_url("http://127.0.0.1:1/", "/metrics")
    lock.release()

    assert caplog.messages == [f"{tmp_path}/serve.lock cannot be written: No space left on device"]
