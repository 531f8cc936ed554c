"""xentop, the program for scripts: xm top under its own name."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import TESTS
from tests.support.talk_host import FakeClient
from xenprof.cli import xentop
from xenprof.cli.xm import main as xm
from xenprof.client import ServiceNotRunning

HELP = """\
Usage: xentop [OPTION]
Displays ongoing information about xen vm resources\x20

-h, --help           display this help and exit
-V, --version        output version information and exit
-d, --delay=SECONDS  seconds between updates (default 3)
-n, --networks       output vif network data
-x, --vbds           output vbd block device data
-r, --repeat-header  repeat table header before each domain
-v, --vcpus          output vcpu data
-b, --batch\t     output in batch mode, no user input accepted
-i, --iterations     number of iterations before exiting
-f, --full-name      output the full domain name (not truncated)
"""


@pytest.fixture
def run(monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    def called(program, *words, client: FakeClient | None = None):
        service = client or FakeClient()
        monkeypatch.setattr("xenprof.cli.xm.program.Client", lambda home: service)
        monkeypatch.setattr(xentop, "Client", lambda home: service)
        code = program(words)
        return code, *capsys.readouterr()

    return called


@pytest.mark.parametrize(
    "words",
    [("-b", "-i", "1"), ("-bnxv", "-i1"), ("-b", "-r", "-i", "2", "-d", "1"), ("-V",)],
)
def test_it_prints_what_xm_top_prints(run, words):
    assert run(xm, "top", *words) == run(xentop.main, *words)


@pytest.mark.parametrize("option", ["-f", "--full-name"])
def test_names_of_an_old_host_are_whole_with_the_option_of_4_x_and_without(run, option):
    plain = run(xentop.main, "-b", "-i", "1")

    assert "r5b2-mySQL01 --b---" in plain[1]
    assert plain == run(xentop.main, option, "-b", "-i", "1")


def test_a_delay_is_waited_between_iterations(run):
    client = FakeClient()
    run(xentop.main, "-b", "-i", "2", "-d", "5", client=client)

    assert ("/api/v1/wait", {"seconds": 5.0}) == client.posts[0]


def test_help_is_that_of_xentop(run):
    assert (0, HELP, "") == run(xentop.main, "--help")


def test_words_that_are_no_options_are_ignored_as_by_the_original(run):
    without = run(xentop.main, "-b", "-i", "1")

    assert without[:2] == run(xentop.main, "-b", "-i", "1", "web")[:2]


def test_a_number_that_no_option_takes_is_told_with_the_option_meant(run):
    *_, error = run(xentop.main, "-b", "-i", "1", "-n", "1")

    assert error == (
        "note: 1 is ignored. -i N is the number of iterations, such as -i 1; -n shows networks\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-q",), "option -q not recognized"),
        (("--no-such",), "option --no-such not recognized"),
        (("-i",), "option -i requires argument"),
    ],
)
def test_a_wrong_option_shows_the_usage(run, words, message):
    assert (1, HELP, f"xentop: {message}\n") == run(xentop.main, *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-b", "-d", "x"), "the delay must be a number of seconds above 0, not 'x'"),
        (("-b", "-i", "x"), "Invalid argument."),
        (("-i", "1"), "not a terminal; use -b"),
    ],
)
def test_what_cannot_be_done_is_one_line(run, words, message):
    assert (1, "", f"xentop: {message}\n") == run(xentop.main, *words)


def test_without_a_service_it_says_so_in_one_line(run):
    class Gone(FakeClient):
        def get(self, path, kind=None):
            raise ServiceNotRunning(Path("/home"))

    code, out, err = run(xentop.main, "-b", "-i", "1", client=Gone())

    assert (1, "", 1, True) == (code, out, err.count("\n"), err.startswith("xentop: "))


def test_ctrl_c_ends_it_quietly(run):
    class Interrupted(FakeClient):
        def get(self, path, kind=None):
            raise KeyboardInterrupt

    assert (130, "", "") == run(xentop.main, "-b", client=Interrupted())


def test_it_is_installed():
    scripts = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())["project"]["scripts"]

    assert "xenprof.cli.entry:xentop" == scripts["xentop"]
