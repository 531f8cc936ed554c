"""What the two senders make of the answers of receivers."""

import gzip
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from exporters.otlp.overgrpc import METHODS, GrpcSender
from exporters.otlp.overhttp import HttpSender
from exporters.otlp.sending import Answer, Sender
from exporters.otlp.targets import Target
from tests.support.dripping import ENDLESS, dripping
from tests.support.otlp_receivers import (
    Receiver,
    Reply,
    grpc_receiver,
    http_receiver,
    partial,
    refusal,
    retry_details,
)
from xenprof.service.exporter import OtlpProtocol

BODY = b"a request" * 100
UNREACHABLE = "http://127.0.0.1:1"
Send = Callable[..., Answer]


@dataclass
class Peer:
    receiver: Receiver
    protocol: OtlpProtocol

    def sender(self, **settings) -> Sender:
        url = self.receiver.url
        if self.protocol == "grpc":
            return GrpcSender(Target(url, "grpc", **settings), "logs", "xenprof/1")
        return HttpSender(Target(f"{url}/v1/logs", **settings), "xenprof/1")

    def answer(self, *replies: Reply, timeout_seconds: float = 10, **settings) -> Answer:
        self.receiver.replies = list(replies)
        sender = self.sender(**settings)
        try:
            return sender.send(BODY, timeout_seconds)
        finally:
            sender.close()


@pytest.fixture
def http() -> Iterator[Peer]:
    with http_receiver() as receiver:
        yield Peer(receiver, "http/protobuf")


@pytest.fixture
def grpc() -> Iterator[Peer]:
    with grpc_receiver() as receiver:
        yield Peer(receiver, "grpc")


@pytest.fixture(params=["http", "grpc"])
def peer(request) -> Peer:
    peer: Peer = request.getfixturevalue(request.param)
    return peer


def test_a_request_arrives_as_it_is(peer: Peer):
    assert (peer.answer(), peer.receiver.got[0].body) == (Answer(), BODY)


def test_a_partial_success_tells_how_much_is_refused_and_why(peer: Peer):
    answer = peer.answer(Reply(body=partial(7, "too old\nby far")))
    assert answer == Answer(rejected=7, message="too old by far")


def test_an_answer_that_is_no_message_is_a_success(peer: Peer):
    assert peer.answer(Reply(body=b"{}")) == Answer()


def test_headers_are_sent(peer: Peer):
    peer.answer(headers={"x-tenant": "a b"})
    assert peer.receiver.got[0].headers["x-tenant"] == "a b"


def test_a_header_goes_before_the_users_netrc(http: Peer, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    http.answer(headers={"authorization": "Bearer token"})
    assert http.receiver.got[0].headers["authorization"] == "Bearer token"


def test_the_sender_names_itself(peer: Peer):
    peer.answer()
    assert peer.receiver.got[0].headers["user-agent"].startswith("xenprof/1")


def test_grpc_calls_the_method_of_the_signal(grpc: Peer):
    grpc.answer()
    assert grpc.receiver.got[0].path == METHODS["logs"]


def test_http_posts_protobuf_to_the_url(http: Peer):
    http.answer()
    got = http.receiver.got[0]
    assert (got.path, got.headers["content-type"]) == ("/v1/logs", "application/x-protobuf")


@pytest.mark.parametrize(
    ("name", "unpack"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)]
)
def test_http_compresses(http: Peer, name: str, unpack: Callable[[bytes], bytes]):
    http.answer(compression=name)
    got = http.receiver.got[0]
    assert (got.headers["content-encoding"], unpack(got.body)) == (name, BODY)


def test_grpc_compresses(grpc: Peer):
    assert (grpc.answer(compression="gzip"), grpc.receiver.got[0].body) == (Answer(), BODY)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_http_may_be_tried_again_after_some_errors(http: Peer, status: int):
    assert http.answer(Reply(status)).is_temporary


@pytest.mark.parametrize("status", [400, 401, 404, 408, 413, 500, 302])
def test_http_is_not_tried_again_after_others(http: Peer, status: int):
    answer = http.answer(Reply(status))
    assert (answer.error.startswith(f"HTTP {status}"), answer.is_temporary) == (True, False)


def test_http_tells_what_the_receiver_says(http: Peer):
    assert http.answer(Reply(400, refusal("bad point"))).error == "HTTP 400 bad point"


def test_http_tells_a_text_in_one_short_line(http: Peer):
    reply = Reply(400, b"<p>\n\x1b[31mno\n" + b"x" * 5000, {"Content-Type": "text/html"})
    error = http.answer(reply).error
    assert (error[:19], len(error) < 400) == ("HTTP 400 <p> [31mno", True)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("-1", 0.0), ("soon", 0.0), ("1000000", 600.0)]
)
def test_retry_after_is_the_pause(http: Peer, header: str, seconds: float):
    assert http.answer(Reply(429, headers={"Retry-After": header})).pause_seconds == seconds


@pytest.mark.parametrize(
    ("when", "seconds"),
    [("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("Wed, 21 Oct 2215 07:28:00 GMT", 600.0)],
)
def test_retry_after_may_be_a_date(http: Peer, when: str, seconds: float):
    assert http.answer(Reply(503, headers={"Retry-After": when})).pause_seconds == seconds


def test_an_endless_answer_is_not_read_to_its_end(http: Peer):
    assert http.answer(Reply(body=b"\xff" * (1 << 20))) == Answer()


@pytest.mark.parametrize(
    ("code", "is_temporary"),
    [
        ("UNAVAILABLE", True),
        ("DEADLINE_EXCEEDED", True),
        ("ABORTED", True),
        ("RESOURCE_EXHAUSTED", False),
        ("INVALID_ARGUMENT", False),
        ("UNAUTHENTICATED", False),
        ("UNIMPLEMENTED", False),
    ],
)
def test_grpc_may_be_tried_again_after_some_codes(grpc: Peer, code: str, is_temporary: bool):
    answer = grpc.answer(Reply(code, message="no"))
    assert (answer.error, answer.is_temporary) == (f"{code}: no", is_temporary)


def test_grpc_that_is_exhausted_may_be_tried_again_when_it_says_so(grpc: Peer):
    details = {"grpc-status-details-bin": retry_details(2.5)}
    answer = grpc.answer(Reply("RESOURCE_EXHAUSTED", headers=details))
    assert (answer.is_temporary, answer.pause_seconds) == (True, 2.5)


@pytest.mark.parametrize("kind", [HttpSender, lambda *args: GrpcSender(args[0], "logs", args[1])])
def test_a_receiver_that_is_not_there_may_come_back(kind):
    sender = kind(Target(UNREACHABLE), "xenprof/1")
    answer = sender.send(BODY, 5)
    sender.close()
    assert (bool(answer.error), answer.is_temporary) == (True, True)


def test_a_refused_connection_is_told_in_plain_words():
    sender = HttpSender(Target(UNREACHABLE), "xenprof/1")
    assert "Connection refused" in sender.send(BODY, 5).error


def test_a_receiver_that_does_not_answer_costs_no_more_than_the_timeout(peer: Peer):
    peer.receiver.hold.clear()
    began = time.monotonic()
    answer = peer.answer(timeout_seconds=0.2)
    assert (answer.is_temporary, time.monotonic() - began < 5) == (True, True)


@pytest.mark.parametrize("part", ENDLESS)
def test_an_answer_that_drips_without_end_costs_no_more_than_the_timeout(part: str):
    with dripping(*ENDLESS[part]) as url:
        sender = HttpSender(Target(url), "xenprof/1")
        began = time.monotonic()
        answer = sender.send(BODY, 0.3)
        took = time.monotonic() - began
        sender.close()
    assert (answer.is_temporary, bool(answer.error), took < 3) == (True, True, True)


def test_a_request_after_one_that_took_too_long_has_its_own_time(http: Peer):
    http.receiver.hold.clear()
    sender = http.sender()
    late = sender.send(BODY, 0.1)
    http.receiver.hold.set()
    in_time = sender.send(BODY, 10)
    sender.close()
    assert (bool(late.error), in_time) == (True, Answer())


def test_a_proxy_that_drips_costs_no_more_than_the_timeout(monkeypatch):
    with dripping(*ENDLESS["header"]) as proxy:
        monkeypatch.setenv("https_proxy", proxy)
        sender = HttpSender(Target("https://collector.invalid/v1/logs"), "xenprof/1")
        began = time.monotonic()
        answer = sender.send(BODY, 0.3)
        took = time.monotonic() - began
        sender.close()
    assert (bool(answer.error), took < 3) == (True, True)


TOKEN = "S3CRETTOKEN"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401, f"authorization: Bearer {TOKEN}; once more {TOKEN}".encode()),
        Reply(401, b"x" * 290 + f" Bearer {TOKEN}".encode(), {"Content-Type": "text/plain"}),
        Reply(401, refusal(f"not allowed: {TOKEN}")),
        Reply(200, partial(1, f"not allowed: Bearer {TOKEN}")),
    ],
)
def test_what_a_receiver_repeats_of_a_header_is_not_told(http: Peer, reply: Reply):
    answer = http.answer(reply, headers={"authorization": f"Bearer {TOKEN}"})
    assert TOKEN[:4] not in answer.error + answer.message


def test_what_a_receiver_repeats_of_a_call_is_not_told(grpc: Peer):
    reply = Reply("UNAUTHENTICATED", message=f"no: Bearer {TOKEN}")
    answer = grpc.answer(reply, headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.error == "UNAUTHENTICATED: no: ***"


def test_what_a_receiver_repeats_of_the_url_is_not_told(http: Peer):
    url = http.receiver.url.replace("//", "//ann:pass1234@") + f"/x?token={TOKEN}"
    http.receiver.replies = [Reply(400, refusal(f"token={TOKEN} Basic YW5uOnBhc3MxMjM0 pass1234"))]
    sender = HttpSender(Target(url), "xenprof/1")
    answer = sender.send(BODY, 10)
    sender.close()
    assert answer.error == "HTTP 400 *** *** ***"


def test_what_a_receiver_repeats_of_the_users_netrc_is_not_told(http: Peer, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password pass1234\n")
    monkeypatch.setenv("NETRC", str(netrc))
    answer = http.answer(Reply(401, refusal("Basic YW5uOnBhc3MxMjM0")))
    assert answer.error == "HTTP 401 ***"
