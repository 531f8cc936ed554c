import http.server
import json
import socket
import socketserver
import threading
from dataclasses import dataclass

import pytest

from xenprof.client import Client, ServiceError, ServiceNotRunning
from xenprof.service.home_lock import listen_on_control_socket
from xenprof.wire.domain_requests import PinVcpu
from xenprof.wire.opcontrol import Value


@dataclass(frozen=True, slots=True)
class Echo:
    path: str
    got: object = None


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/text":
            self.answer(200, b"not json")
        elif self.path == "/api/v1/domains/web/oprofilefs/x":
            error = {"type": "UnknownDomain", "message": "Domain 'web' does not exist."}
            self.answer(404, json.dumps({"error": {**error, "exit_code": 3}}).encode())
        else:
            self.answer(200, json.dumps({"path": self.path}).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, json.dumps({"path": self.path, "got": json.loads(body)}).encode())

    def log_message(self, *arguments):
        pass


class Server(socketserver.UnixStreamServer):
    def __init__(self, control: socket.socket) -> None:
        super().__init__("", Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = control
        control.setblocking(True)

    def get_request(self):
        request, _ = super().get_request()
        return request, ("control", 0)


@pytest.fixture(params=["short", "a long path " + "x" * 120])
def home(request, tmp_path):
    home = tmp_path / request.param
    home.mkdir()
    server = Server(listen_on_control_socket(home))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield home
    server.shutdown()
    thread.join()
    server.server_close()


def test_get_returns_the_object_as_a_record(home):
    assert Client(home).get("/api/v1/info", Echo) == Echo("/api/v1/info")


def test_ask_sends_the_request_as_json(home):
    answer = Client(home).ask(PinVcpu(None, (1, 2)), Echo, "a/b")
    path = "/api/v1/domains/a%2Fb/pin-vcpu"
    assert answer == Echo(path, {"vcpu": None, "pcpus": [1, 2]})


def test_an_answer_of_another_version_is_an_error_in_one_line(home):
    with pytest.raises(ServiceError, match="as another version does: 'value' is missing; restart"):
        Client(home).get("/api/v1/domains/0/oprofilefs/y", Value)


def test_an_error_keeps_what_the_service_said(home):
    with pytest.raises(ServiceError, match=r"Domain 'web' does not exist\.") as caught:
        Client(home).get("/api/v1/domains/web/oprofilefs/x", Echo)

    error = caught.value
    assert (error.type, error.exit_code, error.http_status) == ("UnknownDomain", 3, 404)


def test_an_answer_that_is_not_json_is_an_error_in_one_line(home):
    with pytest.raises(ServiceError, match="answered 200 without JSON"):
        Client(home).get("/text", Echo)


@pytest.mark.parametrize("path", ["missing", "."])
def test_without_a_service_the_message_says_how_to_start_one(tmp_path, path):
    with pytest.raises(ServiceNotRunning, match="start it with: xenprof serve"):
        Client(tmp_path / path).get("/api/v1/info", Echo)


def test_a_socket_nobody_listens_on_means_not_running(tmp_path):
    listen_on_control_socket(tmp_path).close()

    with pytest.raises(ServiceNotRunning):
        Client(tmp_path).get("/api/v1/info", Echo)


def test_the_socket_is_the_owners_only(home):
    assert (home / "control.sock").stat().st_mode & 0o777 == 0o600
