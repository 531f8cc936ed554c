"""What becomes of each request, by the status of its answer."""

import asyncio
import errno
from contextlib import suppress
from functools import partial

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from tests.support.service_fakes import ask, ask_now
from xenprof.service.counting import Counting
from xenprof.service.counts import Counted, Counts
from xenprof.service.failures import Failures
from xenprof.service.hidden_home import HiddenHome


async def raises(request, error):
    raise error


def counted(error):
    """Return how a request was counted whose handler raised `error`."""
    handlers = Failures(HiddenHome(None)).handlers
    route = Route("/", partial(raises, error=error))
    counts = Counts()
    app = Counting(Starlette(routes=[route], exception_handlers=handlers), counts)
    with suppress(ZeroDivisionError):  # the server logs it; the client has had its answer
        ask_now(app, "GET", "/")
    return counts.figures()[Counted.HTTP_REQUESTS]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ZeroDivisionError(), "500"),
        (OSError(errno.ENOSPC, "No space left on device"), "507"),
        (OSError(errno.EACCES, "Permission denied"), "400"),
        (ClientDisconnect(), "499"),
    ],
)
def test_an_error_counts_by_the_answer_that_it_got(error, code):
    assert counted(error) == {(code,): 1}


def test_a_request_that_is_given_up_has_no_answer():
    async def waits(scope, receive, send):
        await asyncio.Event().wait()

    async def leaves(app):
        request = asyncio.create_task(ask(app, "GET", "/"))
        await asyncio.sleep(0)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)

    counts = Counts()
    asyncio.run(leaves(Counting(waits, counts)))
    assert counts.figures()[Counted.HTTP_REQUESTS] == {("499",): 1}


def test_a_bug_before_any_answer_is_no_client_that_left():
    async def breaks(scope, receive, send):
        raise ZeroDivisionError

    counts = Counts()
    with pytest.raises(ZeroDivisionError):
        ask_now(Counting(breaks, counts), "GET", "/")
    assert counts.figures()[Counted.HTTP_REQUESTS] == {("500",): 1}
