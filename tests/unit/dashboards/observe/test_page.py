"""The page of a server of ours is asked as it wants to be asked."""

import json
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from dashboards.observe.guard import Guard
from dashboards.observe.health import check_scraped
from dashboards.observe.page import Answer, Page
from tests.support.certificates import make_certificate

SCRAPED = "https://127.0.0.1:1/metrics"


@contextmanager
def page(tls: ssl.SSLContext | None, *answers: Answer) -> Iterator[Page]:
    """Serve answers, one after the other, the last of them again and again."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = left.pop(0) if len(left) > 1 else left[0]
            body = answer.body or (self.headers["Authorization"] or "").encode()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Page(server.server_address[1], is_encrypted=tls is not None)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def encrypted(folder: Path) -> ssl.SSLContext:
    made = make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made / "cert.pem", made / "key.pem")
    return context


def test_a_page_with_tls_is_asked_by_tls(tmp_path: Path):
    with page(encrypted(tmp_path), Answer(200, b"here")) as asked:
        assert Answer(200, b"here") == asked.ask("/")


def test_a_page_with_users_is_asked_by_our_own():
    guard = Guard({}, "me", "secret")
    with page(None, Answer(200)) as asked:
        answer = Page(asked.port, guard=guard).ask("/")

    assert Answer(200, b"Basic " + b64encode(b"me:secret")) == answer


def test_a_page_that_wants_a_certificate_is_shut(tmp_path: Path):
    tls = encrypted(tmp_path)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2  # with 1.3 the refusal may come after a reset
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(tmp_path / "cert.pem")
    with page(tls, Answer(200)) as asked:
        assert Answer(403) == asked.ask("/")


def test_nobody_there_is_no_answer():
    with page(None, Answer(200)) as gone:
        pass

    assert Answer(0) == gone.ask("/")


def targets(error: str) -> Answer:
    """Return an answer of Prometheus whose target was scraped just now."""
    target = {
        "health": "down" if error else "up",
        "lastError": error,
        "lastScrape": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "scrapeUrl": SCRAPED,
    }
    return Answer(200, json.dumps({"data": {"activeTargets": [target]}}).encode())


def test_a_page_that_still_starts_is_asked_again(tmp_path: Path):
    with page(encrypted(tmp_path), Answer(503), Answer(503), targets("")) as prometheus:
        assert "" == check_scraped(prometheus, SCRAPED)


def test_a_page_that_is_shut_is_doubted():
    with page(None, Answer(401)) as prometheus:
        assert check_scraped(prometheus, SCRAPED).startswith("its page lets nobody ask")
