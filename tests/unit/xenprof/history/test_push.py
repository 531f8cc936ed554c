"""Pushed slices: retried, bounded, counted, and in the format that receivers expect."""

import gzip
import json
import logging
import threading
import time
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qs, urlsplit

import pytest

from exporters.otlp.exporter import STOP_SECONDS
from tests.support.dripping import ENDLESS, dripping
from tests.support.pprof_proto import decoded
from tests.support.receiver import Receiver
from tests.support.stack_profiles import profile
from xenprof.errors import UsageError
from xenprof.history.push import (
    CLOSE_SECONDS,
    MAX_WAITING,
    TIMEOUT_SECONDS,
    Address,
    Message,
    Pusher,
    Refusal,
    post,
)
from xenprof.history.receivers import Pyroscope

START = 1_200_000_000


def form(message: Message) -> dict[str, tuple[str, bytes]]:
    """Return the fields of a multipart form: file name and content, as the email package reads."""
    head = f"Content-Type: {message.content_type}\r\n\r\n".encode()
    parsed = BytesParser(policy=HTTP).parsebytes(head + message.body)
    return {
        str(part.get_param("name", header="content-disposition")): (
            str(part.get_filename()),
            bytes(part.get_payload(decode=True)),
        )
        for part in parsed.iter_parts()
    }


def pyroscope(url: str = "http://pyroscope:4040") -> Message:
    return Pyroscope(url).message(profile())


# -- the recorded shape of a request to Pyroscope ------------------------------------------------


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://pyroscope:4040", "/ingest"),
        ("http://pyroscope:4040/", "/ingest"),
        ("http://pyroscope:4040/ingest", "/ingest"),
        ("https://gateway/tenant/", "/tenant/ingest"),
    ],
)
def test_pyroscope_is_sent_to_ingest(url: str, path: str):
    assert urlsplit(pyroscope(url).url).path == path


def test_the_query_tells_name_span_and_format():
    query = parse_qs(urlsplit(pyroscope().url).query)

    assert query == {
        "name": ["xenprof{host=grumble}"],
        "spyName": ["xenprof"],
        "from": [str(START)],
        "until": [str(START + 30)],
        "format": ["pprof"],
    }


def test_a_name_of_the_users_own_is_kept():
    query = parse_qs(urlsplit(pyroscope("http://p/ingest?name=shop&x=1").url).query)

    assert (query["name"], query["x"], query["format"]) == (["shop"], ["1"], ["pprof"])


def test_the_form_has_a_pprof_profile():
    file, body = form(pyroscope())["profile"]
    read = decoded(gzip.decompress(body))

    assert file == "profile.pprof"
    assert (len(read.sample), read.time_nanos) == (len(profile().stacks), START * 10**9)


def test_the_form_explains_every_type_of_value():
    fields = form(pyroscope())
    read = decoded(gzip.decompress(fields["profile"][1]))
    types = [read.string_table[kind.type] for kind in read.sample_type]
    config = json.loads(fields["sample_type_config"][1])

    assert list(config) == types
    assert {row["aggregation"] for row in config.values()} == {"sum"}


# -- sending ---------------------------------------------------------------------------------


def test_a_receiver_gets_each_slice_once():
    with Receiver() as receiver:
        pusher = Pusher(Pyroscope(receiver.url))
        for _ in range(3):
            pusher.offer(profile())
        pusher.close()

        assert [one.body for one in receiver.got] == [
            Pyroscope("http://x").message(profile()).body
        ] * 3
    assert (pusher.stats().sent, pusher.stats().dropped) == (3, 0)


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_what_may_pass_is_tried_again(status: int, caplog: pytest.LogCaptureFixture):
    with Receiver([status, status]) as receiver:
        pusher = Pusher(Pyroscope(receiver.url), first_pause_seconds=0.001)
        pusher.offer(profile())
        receiver.wait_for(3)
        pusher.close()

    assert (pusher.stats().sent, pusher.stats().failures, pusher.stats().dropped) == (1, 2, 0)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_what_is_refused_is_dropped_and_told(caplog: pytest.LogCaptureFixture):
    with Receiver([400]) as receiver:
        pusher = Pusher(Pyroscope(receiver.url))
        pusher.offer(profile())
        pusher.offer(profile())
        pusher.close()

    assert (pusher.stats().sent, pusher.stats().dropped) == (1, 1)
    assert "refuses a slice: HTTP 400" in caplog.text


def test_nobody_there_blocks_nobody_and_is_counted(caplog: pytest.LogCaptureFixture):
    with Receiver() as gone:
        url = gone.url
    pusher = Pusher(Pyroscope(url), first_pause_seconds=60, close_seconds=0.05)
    for _ in range(MAX_WAITING + 5):
        pusher.offer(profile())
    before = pusher.stats()
    pusher.close()

    assert (before.dropped, before.waiting) == (5, MAX_WAITING)
    assert (pusher.stats().dropped, pusher.stats().waiting) == (MAX_WAITING + 5, 0)
    assert f"{MAX_WAITING} slices were not sent before the end" in caplog.text


def test_a_slice_that_arrives_after_all_is_not_counted_as_dropped():
    sent: list[Message] = []
    first, free = threading.Event(), threading.Event()

    def send(message: Message, _: str | None) -> None:
        sent.append(message)
        first.set()
        free.wait(30)

    pusher = Pusher(Pyroscope("http://x"), send=send)
    pusher.offer(profile(columns=1))
    first.wait(30)
    for _ in range(MAX_WAITING):
        pusher.offer(profile(columns=2))
    free.set()
    pusher.close()

    assert (len(sent), pusher.stats().sent, pusher.stats().dropped) == (MAX_WAITING + 1,) * 2 + (0,)


def test_a_password_in_the_url_becomes_a_header():
    address = Address.parse("http://ann:s%40cret@host:4040/x")
    with Receiver() as receiver:
        post(Message(receiver.url, b"x", "text/plain"), address.authorization)
        (one,) = receiver.got

    assert address.url == "http://host:4040/x"
    assert one.headers["Authorization"] == "Basic YW5uOnNAY3JldA=="


@pytest.mark.parametrize("text", ["ftp://x", "http://", "http://h:99999/", "here", "http://[::1"])
def test_what_is_no_url_is_refused_in_one_line(text: str):
    with pytest.raises(UsageError, match="is not a URL"):
        Address.parse(text)


def test_a_bug_ends_neither_push_nor_service(caplog: pytest.LogCaptureFixture):
    def send(message: Message, _: str | None) -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.CRITICAL):
        pusher = Pusher(Pyroscope("http://x"), send=send)
        pusher.offer(profile())
        pusher.close()

    assert pusher.stats().dropped == 1


@pytest.mark.parametrize("part", ENDLESS)
def test_an_answer_that_drips_without_end_costs_no_more_than_the_timeout(part: str):
    with dripping(*ENDLESS[part]) as url:
        began = time.monotonic()
        with pytest.raises(OSError):
            post(Message(url, b"x", "text/plain"), None, 0.3)
        assert time.monotonic() - began < 3


def test_all_pushes_together_end_within_two_seconds():
    assert max(CLOSE_SECONDS, STOP_SECONDS) < 2.0  # beside each other


def test_an_answer_without_end_holds_nobody_beyond_the_time_for_stopping(
    caplog: pytest.LogCaptureFixture,
):
    with dripping(*ENDLESS["body"]) as url:
        pusher = Pusher(Pyroscope(url), close_seconds=0.05)
        pusher.offer(profile())
        began = time.monotonic()
        pusher.stop()
        pusher.close()
        took, stats = time.monotonic() - began, pusher.stats()

    assert took < TIMEOUT_SECONDS / 2  # the answer would take longer
    assert (stats.sent, stats.dropped) == (0, 1)
    assert "1 slices were not sent before the end" in caplog.text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_fails(status: int):
    with Receiver([status], headers={"Location": "/elsewhere"}) as receiver:
        pusher = Pusher(Pyroscope(receiver.url))
        pusher.offer(profile())
        pusher.close()
        asked = len(receiver.got)

    stats = pusher.stats()
    assert (asked, stats.sent, stats.dropped, stats.failures) == (1, 0, 1, 1)


def test_the_log_has_neither_the_urls_query_nor_what_is_repeated(caplog: pytest.LogCaptureFixture):
    def send(message: Message, authorization: str | None) -> None:
        raise Refusal(f"{'x' * 395} {authorization} {message.url}")

    pusher = Pusher(Pyroscope("http://x/?token=S3CRETTOKEN"), "Basic UEFTU1dPUkQ=", send=send)
    pusher.offer(profile())
    pusher.close()

    assert "refuses a slice" in caplog.text
    assert not {"S3CR", "UEFT"} & {caplog.text[at : at + 4] for at in range(len(caplog.text))}


@pytest.mark.parametrize(
    "text", ["ftp://u:secret@x", "http://u:secret@h:99999/", "http://u:secret/@"]
)
def test_what_is_no_url_is_refused_without_its_password(text: str):
    with pytest.raises(UsageError) as refused:
        Address.parse(text)
    assert "secret" not in str(refused.value)
