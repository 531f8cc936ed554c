"""A receiver over HTTP whose answers never end: a little comes every 20 ms."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PERIOD_SECONDS = 0.02
ENDLESS = {
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n", b"x"),
    "error's body": (b"HTTP/1.1 503 No\r\nContent-Length: 3000000\r\n\r\n", b"x"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "header": (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "status": (b"HTTP/1.1 200 ", b"x"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}
"""What answers begin with, and what comes again and again."""


@contextmanager
def dripping(begin: bytes, again: bytes) -> Iterator[str]:
    """Start a receiver; yield its URL."""
    over = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(1 << 16)
                connection.sendall(begin)
                while not over.wait(PERIOD_SECONDS):
                    connection.sendall(again)
            except OSError:  # the client has gone
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=answer, args=(connection,)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for thread in (accepting, *threads):
            thread.join()
