"""Opening a console, and showing the guest's own lines there."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.console_guest import FakeService, domain
from xenprof.cli.console.session import connect
from xenprof.cli.console.watch import news
from xenprof.client import ServiceError


@pytest.fixture
def typed(monkeypatch, tmp_path):
    """Put a script on stdin."""
    monkeypatch.setenv("XENPROF_HOME", str(tmp_path))
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_script_runs_without_prompts(typed, capsys):
    typed("hostname\nfalse\n")

    assert (1, "web\n") == (
        connect("web", is_login=False, client=FakeService()),
        capsys.readouterr().out,
    )


def test_a_domain_can_be_called_by_its_id(typed, capsys):
    typed("hostname")

    assert (0, "web\n") == (
        connect("3", is_login=False, client=FakeService()),
        capsys.readouterr().out,
    )


def test_an_unknown_domain_is_xms_error(typed, capsys):
    typed("hostname")

    assert (1, "Error: Domain 'nosuch' does not exist.\n") == (
        connect("nosuch", is_login=False, client=FakeService()),
        capsys.readouterr().err,
    )


def test_where_nobody_manages_domains_it_says_so_without_a_command(typed, capsys):
    class Watching(FakeService):
        def answer_get(self, path):
            if path == "/api/v1/managed":
                raise ServiceError("this host has no toolstack")
            return super().answer_get(path)

    typed("")

    assert (1, "this host has no toolstack\n") == (
        connect("web", is_login=False, client=Watching()),
        capsys.readouterr().err,
    )


GONE = "xenconsole: Could not read tty from store: No such file or directory\n"


def test_domain_0_has_no_console(typed, capsys):
    typed("hostname")

    assert (1, GONE) == (
        connect("Domain-0", is_login=False, client=FakeService()),
        capsys.readouterr().err,
    )


def test_domain_0_can_be_logged_in_to(typed, capsys):
    typed("hostname")

    assert (0, "Domain-0\n") == (
        connect("Domain-0", is_login=True, client=FakeService()),
        capsys.readouterr().out,
    )


def test_a_domain_that_goes_away_takes_its_console_with_it(typed, capsys):
    service = FakeService()

    class Vanishing(FakeService):
        def answer_post(self, path, body):
            self.domains = [domain(0, "Domain-0"), domain(4, "web")]
            return {}

    service = Vanishing()
    typed("sleep 1\nhostname\nhostname\n")

    assert (1, GONE) == (connect("web", is_login=False, client=service), capsys.readouterr().err)


lines = st.lists(st.sampled_from(["a\n", "b\n", "c\n"]), max_size=8)


@given(lines, lines)
def test_news_are_what_was_added(old, new):
    assert "".join(new) == news("".join(old), "".join(old + new))


@given(lines, lines, st.integers(0, 8))
def test_old_lines_and_news_make_the_whole_text(old, new, lost):
    after = (old + new)[lost:]

    assert "".join(after).endswith(news("".join(old), "".join(after)))


def test_lines_that_were_dropped_are_no_news():
    assert "d\n" == news("a\nb\nc\n", "c\nd\n")


def test_the_domain_that_is_nearest_to_an_unknown_one_is_told(typed, capsys, tmp_path):
    (tmp_path / "domains").mkdir()
    (tmp_path / "domains/.ids").write_text('{"3": "web"}')
    connect("wbe", is_login=True, client=FakeService())

    assert capsys.readouterr().err.endswith("note: did you mean web?\n")
