import contextlib
import socket
import struct
import threading

import pytest

from hypervisor.live.agent.domain0 import xenstore
from hypervisor.live.agent.domain0.xenstore import Xenstore
from hypervisor.live.agent.errors import StoreFailed

READ, DIRECTORY, ERROR, WATCH_EVENT = 2, 1, 16, 15


def answer(kind, request, payload):
    return struct.pack("<4I", kind, request, 0, len(payload)) + payload


def node(kind, request, path):
    """Answer as xenstored does."""
    written = {(READ, b"/a"): b"value", (READ, b"/b"): b"\xffx", (DIRECTORY, b"/"): b"a\0b\0"}
    payload = written.get((kind, path))
    return (
        answer(ERROR, request, b"ENOENT\0") if payload is None else answer(kind, request, payload)
    )


@pytest.fixture
def daemon(tmp_path):
    """Return a function that starts a daemon which answers by another function."""
    listener = socket.socket(socket.AF_UNIX)
    (tmp_path / "run/xenstored").mkdir(parents=True)
    listener.bind(str(tmp_path / "run/xenstored/socket"))
    listener.listen()
    threads = []

    def serve(answered):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while head := connection.recv(16):
                    kind, request, _, length = struct.unpack("<4I", head)
                    reply = answered(kind, request, connection.recv(length).rstrip(b"\0"))
                    if reply is None:
                        break
                    connection.sendall(reply)

    def start(answered=node, **settings):
        threads.append(threading.Thread(target=serve, args=(answered,)))
        threads[0].start()
        return Xenstore(str(tmp_path), **settings)

    yield start
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join()


def test_values_and_names_are_read(daemon):
    store = daemon()

    assert ("value", ("a", "b")) == (store.read("/a"), store.directory("/"))
    store.close()


def test_what_is_not_there_is_none_and_no_problem(daemon):
    store = daemon()

    assert (None, (), None) == (store.read("/x"), store.directory("/x"), store.problem)
    store.close()


def test_bytes_that_are_no_text_survive_as_escapes(daemon):
    store = daemon()

    assert "\\xffx" == store.read("/b")
    store.close()


def test_events_that_nobody_asked_for_are_passed_over(daemon):
    store = daemon(lambda *one: answer(WATCH_EVENT, 0, b"@x\0t\0") + node(*one))

    assert "value" == store.read("/a")
    store.close()


@pytest.mark.parametrize(
    "reply",
    [
        lambda kind, request, path: answer(kind, request + 1, b"x"),
        lambda kind, request, path: answer(99, request, b"x"),
        lambda kind, request, path: struct.pack("<4I", kind, request, 0, 4097),
        lambda kind, request, path: None,
    ],
    ids=["another request", "another kind", "too long", "hung up"],
)
def test_an_answer_that_is_none_is_a_problem(daemon, reply):
    store = daemon(reply)

    assert store.read("/a") is None
    assert store.problem is not None


@pytest.mark.parametrize(
    "spoken",
    [answer(WATCH_EVENT, 0, b"@x\0t\0") * 10, b"\0"],
    ids=["events without end", "byte by byte"],
)
def test_an_answer_that_does_not_come_to_an_end_is_waited_for_no_longer_than_allowed(
    tmp_path, monkeypatch, spoken
):
    monkeypatch.setattr(xenstore, "_WAIT_SECONDS", 0.2)
    monkeypatch.setattr(xenstore, "_PAYLOAD_BYTES", 1 << 30)
    (tmp_path / "run/xenstored").mkdir(parents=True)
    stop = threading.Event()

    def speak(listener):
        with listener.accept()[0] as connection, contextlib.suppress(OSError):
            connection.sendall(b"" if len(spoken) > 1 else struct.pack("<4I", READ, 1, 0, 1 << 20))
            while not stop.wait(0.01):
                connection.sendall(spoken)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "run/xenstored/socket"))
        listener.listen()
        speaker = threading.Thread(target=speak, args=(listener,), daemon=True)
        speaker.start()
        store = Xenstore(str(tmp_path))
        asked = threading.Thread(target=store.read, args=("/a",), daemon=True)
        asked.start()
        asked.join(5)
        stop.set()
        speaker.join()

    assert "xenstore does not answer" == store.problem


def test_a_daemon_that_takes_no_requests_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(xenstore, "_WAIT_SECONDS", 0.1)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            ours.send(b"x" * 4096)
    channel = xenstore._Channel(ours.fileno())

    with theirs, ours, pytest.raises(StoreFailed, match="does not answer"):
        channel.ask(READ, b"/a\0")


def test_after_a_failure_it_is_asked_again_in_the_next_poll(daemon):
    replies = [lambda *one: None, node, node]
    store = daemon(lambda *one: replies.pop(0)(*one))

    first, second = store.read("/a"), store.read("/a")
    store.begin()

    assert (None, None, "value") == (first, second, store.read("/a"))
    store.close()


def test_without_a_daemon_the_problem_is_told(tmp_path):
    store = Xenstore(str(tmp_path))

    assert store.read("/a") is None
    assert "neither a socket nor a device" in str(store.problem)


def test_the_answers_of_a_poll_have_a_time_together_and_the_rest_waits_for_the_next(daemon):
    now = iter(range(100))  # each answer takes a second
    store = daemon(poll_seconds=3, clock=lambda: next(now))
    store.begin()
    half = [(store.read("/a"), store.is_half_spent) for _ in range(2)]
    rest = [store.read("/a") for _ in range(3)]
    problem = store.problem
    store.begin()

    assert ([("value", False), ("value", True)], ["value", None, None]) == (half, rest)
    assert ("it is slow: what takes longer than 3 s is read later", "value") == (
        problem,
        store.read("/a"),
    )
    store.close()
