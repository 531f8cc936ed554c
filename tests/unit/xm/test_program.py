import subprocess
import sys

import pytest

from tests.unit.xm.talk_host import FakeClient
from xenprof.cli.xm.program import COMMANDS, find_command
from xenprof.client import ServiceNotRunning


@pytest.mark.parametrize("words", [["help"], ["--help"], ["help", "--help", "list"]])
def test_help_lists_every_subcommand_and_succeeds(xm, words):
    code, out, _ = xm(*words)
    assert code == 0
    assert {
        line.split()[0] for line in out.splitlines() if line.startswith(" ") and line[1] != " "
    } == {command.name for command in COMMANDS}


def test_xm_alone_prints_the_short_help_and_fails(xm):
    code, out, error = xm()
    assert (code, error) == (1, "")
    assert "Common 'xm' commands:\n" in out


def test_an_unknown_subcommand_is_named(xm):
    code, _, error = xm("lst")
    assert (code, error) == (1, "Error: Sub Command lst not found!\n")


def test_help_of_a_subcommand_is_its_usage_and_fails_as_in_3_0_3(xm):
    code, out, _ = xm("destroy", "--help")
    assert (code, out) == (1, "Usage: xm destroy <Domain>\n\nTerminate a domain immediately.\n")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("list", "list"),
        ("li", "list"),
        ("vcpu-l", "vcpu-list"),
        ("set-vcpus", "vcpu-set"),
        ("balloon", "mem-set"),
        ("csched", "sched-credit"),
    ],
)
def test_aliases_and_unique_prefixes_are_understood(typed, name):
    command = find_command(typed)
    assert command is not None
    assert command.name == name


@pytest.mark.parametrize("typed", ["l", "vcpu", "", "lists"])
def test_one_letter_ambiguous_and_unknown_names_are_not(typed):
    assert find_command(typed) is None


def test_a_deprecated_name_says_so_and_works(xm):
    client = FakeClient()
    code, _, error = xm("balloon", "web", "64", client=client)
    assert (code, error) == (0, "Command balloon is deprecated.  Please use xm mem-set instead.\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["destroy"], "'xm destroy' requires 1 argument."),
        (["vcpu-pin", "a"], "'xm vcpu-pin' requires 3 arguments."),
        (["info", "x"], "'xm info' requires 0 arguments."),
        (["list", "-x"], "option -x not recognized"),
    ],
)
def test_wrong_arguments_are_told_and_the_usage_follows(xm, words, message):
    code, out, error = xm(*words)
    assert (code, error) == (1, f"Error: {message}\n")
    assert out.startswith(f"Usage: xm {words[0]}")


def test_a_service_that_is_down_is_xend_that_is_down(xm, tmp_path):
    down = ServiceNotRunning(tmp_path)
    code, out, error = xm("pause", "web", **{"domains/web/pause": down})
    assert (code, out) == (1, "")
    assert error == (
        "Error: Unable to connect to xend: the xenprof service is not running on "
        f"{tmp_path}; start it with: xenprof serve. Is xend running?\n"
    )


def test_ctrl_c_says_interrupted_and_fails(xm):
    code, out, error = xm("pause", "web", **{"domains/web/pause": KeyboardInterrupt()})
    assert (code, out, error) == (1, "", "Interrupted.\n")


def test_xm_imports_no_heavy_library():
    heavy = "{'pydantic', 'numpy', 'starlette', 'click', 'rich', 'prometheus_client'}"
    program = f"import sys, xenprof.cli.xm; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
