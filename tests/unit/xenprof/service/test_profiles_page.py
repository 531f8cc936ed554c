"""Sessions on a page, and their reports."""

import gzip

import pytest

from tests.support.homes import write, write_home
from tests.support.known_sessions import VMLINUX, own
from tests.support.service_fakes import ask_now
from xenprof.service.profiles_page import KINDS

HOSTILE = "<b>&'\""


@pytest.fixture
def home(service):
    return write_home(service.home)


def report(app, **query: str) -> tuple[int, dict[str, str], bytes]:
    return ask_now(app, "GET", "/profiles/report?" + "&".join(f"{k}={v}" for k, v in query.items()))


def test_without_sessions_the_page_says_how_to_get_one(app):
    status, _, body = ask_now(app, "GET", "/profiles")

    assert (200, True, False) == (status, b"xenprof serve --profile" in body, b"<table>" in body)


def test_the_page_lists_the_sessions_with_their_domains(app, home):
    _, _, body = ask_now(app, "GET", "/profiles")
    rows = [
        f'<td data-head="Session">{name}</td><td data-head="Domains">{domains}</td>'
        for name, domains in (("current", "Domain-0, web"), ("later", "Domain-0"))
    ]

    assert [body.decode().find(row) > 0 for row in rows] == [True, True]


def test_a_name_is_escaped_in_text_and_links(app, home):
    write(home, "web", (own(VMLINUX, {0: 5}),), HOSTILE)
    _, _, body = ask_now(app, "GET", "/profiles")

    assert b"&lt;b&gt;&amp;&#x27;&quot;</td>" in body
    assert b"session=%3Cb%3E%26%27%22&amp;format=text" in body
    assert b"<b>" not in body


def test_a_report_is_that_of_the_program(app, home):
    status, headers, body = report(app, session="later", format="text")

    assert (200, "text/plain; charset=utf-8") == (status, headers["content-type"])
    assert body.startswith(b"session later: Domain-0\n")


def test_what_is_for_programs_is_saved_as_a_file(app, home):
    _, headers, body = report(app, format="pprof")

    assert 'attachment; filename="profile.pb.gz"' == headers["content-disposition"]
    assert gzip.decompress(body)


def test_a_flame_graph_gets_at_nothing_of_the_service(app, home):
    _, headers, _ = report(app, format="flamegraph.html")

    assert headers["content-security-policy"].startswith(
        "sandbox allow-scripts; default-src 'none'"
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"session": "nobody"}, 404),
        ({"session": "../../etc"}, 404),
        ({"session": ""}, 404),
        ({"session": "--help"}, 404),
        ({"format": "perfetto"}, 400),
    ],
)
def test_what_is_not_offered_is_refused(app, home, query: dict[str, str], expected: int):
    assert expected == report(app, **query)[0]


def test_every_kind_is_a_format_of_reports():
    from xenprof.report.formats import FORMATS

    assert set() == KINDS.keys() - FORMATS.keys()
