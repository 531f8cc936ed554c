import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.support.service_fakes import ask_now
from xenprof.service.rate_limit import RateLimit
from xenprof.service.webconfig import WebConfigFile


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def asked(tmp_path, clock):
    """Return the status of a request behind the limit of web.yml, and its Retry-After."""

    async def page(request):
        return PlainTextResponse("here\n")

    file = tmp_path / "web.yml"
    file.write_text("rate_limit: {interval: 2s, burst: 3}")
    limited = RateLimit(Starlette(routes=[Route("/", page)]), WebConfigFile(file), clock)

    def ask():
        status, headers, _ = ask_now(limited, "GET", "/")
        return status, headers.get("retry-after")

    return ask


def test_a_burst_is_answered_and_then_one_each_interval(asked, clock):
    first = [asked() for _ in range(4)]
    clock.now = 1.9
    early = asked()
    clock.now = 2.0
    later = [asked() for _ in range(2)]

    assert [(200, None)] * 3 + [(429, "2")] == first
    assert (429, "2") == early
    assert [(200, None), (429, "2")] == later


def test_a_long_rest_gives_no_more_than_a_burst(asked, clock):
    clock.now = 1e6

    assert [200, 200, 200, 429] == [asked()[0] for _ in range(4)]


def test_a_new_limit_begins_with_its_burst(asked, tmp_path):
    before = [asked()[0] for _ in range(4)]
    (tmp_path / "web.yml").write_text("rate_limit: {interval: 1h, burst: 1}")

    assert ([200, 200, 200, 429], [200, 429]) == (before, [asked()[0] for _ in range(2)])
