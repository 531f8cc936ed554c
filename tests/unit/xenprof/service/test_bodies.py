import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from xenprof.service.bodies import MAX_BODY_BYTES, BodyLimit
from xenprof.service.failures import Failures
from xenprof.service.hidden_home import HiddenHome


async def length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


def ask(parts, headers=()):
    """Send a body in parts; return the messages of the answer, and how many parts were taken."""
    app = BodyLimit(
        Starlette(
            routes=[Route("/", length, methods=["POST"])],
            exception_handlers=Failures(HiddenHome()).handlers,
        )
    )
    left = list(parts)
    sent = []

    async def receive():
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "root_path": "",
        "query_string": b"", "scheme": "http", "server": ("a", 1), "headers": list(headers),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return sent, len(parts) - len(left)


@pytest.mark.parametrize(
    "parts", [[b""], [bytes(MAX_BODY_BYTES)], [bytes(MAX_BODY_BYTES // 4)] * 4]
)
def test_a_body_of_a_mebibyte_is_read(parts):
    sent, _ = ask(parts)

    assert (sent[0]["status"], sent[1]["body"]) == (200, str(sum(map(len, parts))).encode())


TOO_LARGE = [bytes(MAX_BODY_BYTES), b"x", bytes(99)]
DECLARED = [(b"content-length", b"%d" % sum(map(len, TOO_LARGE)))]


@pytest.mark.parametrize(
    "headers", [[], DECLARED, [(b"content-length", b"5")]], ids=["chunked", "declared", "lying"]
)
def test_a_larger_one_is_413_and_the_end_of_the_connection(headers):
    sent, _ = ask(TOO_LARGE, headers)

    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]
    assert b"at most 1 MiB" in b"".join(part["body"] for part in sent[1:])


def test_what_is_on_its_way_is_taken_as_its_sender_would_not_read_the_answer_otherwise():
    assert ask(TOO_LARGE, DECLARED)[1] == 3


def test_a_client_that_asks_first_is_not_told_to_send():
    assert ask(TOO_LARGE, [*DECLARED, (b"expect", b"100-continue")])[1] == 0


def test_an_endless_body_is_not_taken_for_ever():
    parts = [bytes(1 << 20)] * 40

    assert ask(parts)[1] == 18
