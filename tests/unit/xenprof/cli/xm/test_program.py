import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.support.talk_host import HOST, NEW_TOOLS, FakeClient
from xenprof.cli.xm.table import COMMON, find_command, names
from xenprof.client import ServiceNotRunning

ADDED_BY_3_1 = {"new", "delete", "start", "suspend", "resume", "trigger", "debug-keys", "shell"}


def listed(out: str) -> set[str]:
    return {line.split()[0] for line in out.splitlines() if line.startswith(" ") and line[1] != " "}


@pytest.mark.parametrize("words", [["help"], ["--help"], ["-h"], ["help", "--long"]])
def test_help_lists_every_subcommand_and_succeeds(xm, words):
    code, out, _ = xm(*words)
    assert (code, listed(out)) == (0, set(names("3.0.3")))


def test_help_has_what_3_1_added_if_the_host_has_it(xm):
    _, out, _ = xm("help", hosts=[NEW_TOOLS])
    assert listed(out) - set(names("3.0.3")) == ADDED_BY_3_1


@pytest.mark.parametrize(
    "words",
    [["help", "destroy"], ["help", "--help", "destroy"], ["help", "--long", "des"]],
)
def test_help_on_a_subcommand_is_its_usage_and_succeeds(xm, words):
    code, out, _ = xm(*words)
    assert (code, out.splitlines()[0]) == (0, "Usage: xm destroy <Domain>")


def test_help_on_what_does_not_exist_is_an_error(xm):
    code, _, error = xm("help", "nosuch")
    assert (code, error) == (1, "Error: Sub Command nosuch not found!\n")


@pytest.mark.parametrize("name", names("3.1"))
def test_every_subcommand_has_a_usage(xm, name):
    _, out, _ = xm("help", name, hosts=[NEW_TOOLS])
    assert out.startswith(f"Usage: xm {name} ")


@pytest.mark.parametrize("hosts", [[HOST], [NEW_TOOLS]])
def test_xm_alone_prints_the_common_commands_of_the_version_and_fails(xm, hosts):
    code, out, error = xm(hosts=hosts)
    assert (code, error) == (1, "")
    assert listed(out) == set(COMMON) & {*names(hosts[0].tools), "help"}


@pytest.mark.parametrize("name", ["nothing", *sorted(ADDED_BY_3_1)])
def test_an_unknown_subcommand_is_named(xm, name):
    code, out, error = xm(name)
    assert (code, error) == (1, f"Error: Sub Command {name} not found!\n")
    assert "Common 'xm' commands:\n" in out


def test_the_subcommand_that_is_nearest_to_an_unknown_one_is_told(xm):
    assert xm("lst")[2] == "Error: Sub Command lst not found!\nnote: did you mean xm list?\n"


def test_the_option_that_is_nearest_to_an_unknown_one_is_told(xm):
    assert xm("list", "--lnog")[2] == (
        "Error: option --lnog not recognized\nnote: did you mean --long?\n"
    )


def test_without_a_service_the_commands_are_those_of_3_0_3(xm, monkeypatch, tmp_path):
    client = FakeClient()
    monkeypatch.setattr(client, "get", Mock(side_effect=ServiceNotRunning(tmp_path)))
    _, out, _ = xm("help", client=client)
    assert listed(out) == set(names("3.0.3"))


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_of_a_subcommand_is_its_usage_and_fails_as_in_3_0_3(xm, option):
    code, out, _ = xm("destroy", option)
    assert (code, out) == (
        1,
        "Usage: xm destroy <Domain>\n\nEnd a domain at once, without asking it.\n",
    )


def test_usage_shows_the_options_of_the_version_only(xm):
    _, old, _ = xm("save", "--help")
    _, new, _ = xm("save", "--help", hosts=[NEW_TOOLS])
    assert ("--checkpoint" in old, "--checkpoint" in new) == (False, True)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("list", "list"),
        ("li", "list"),
        ("vcpu-l", "vcpu-list"),
        ("set-vcpus", "vcpu-set"),
        ("balloon", "mem-set"),
        ("vif-list", "network-list"),
        ("vbd-create", "block-attach"),
        ("vbd-destroy", "block-detach"),
        ("vbd-list", "block-list"),
        ("csched", "sched-credit"),
        ("se", "serve"),
        ("dump-c", "dump-core"),
    ],
)
def test_aliases_and_unique_prefixes_are_understood(typed, name):
    command = find_command(typed, lambda: "3.0.3")
    assert command is not None
    assert command.name == name


@pytest.mark.parametrize("typed", ["l", "vcpu", "", "lists", "dump", "sched", "mem"])
def test_one_letter_ambiguous_and_unknown_names_are_not(typed):
    assert find_command(typed, lambda: "3.0.3") is None


def test_a_prefix_can_be_unique_in_one_version_only():
    old, new = (find_command("net", lambda: "3.0.3"), find_command("de", lambda: "3.0.3"))
    assert (old, new and new.name) == (None, "destroy")
    assert find_command("de", lambda: "3.1") is None


def test_the_version_is_not_asked_for_a_command_that_was_always_there():
    assert find_command("list", Mock(side_effect=AssertionError)) is not None


def test_a_deprecated_name_says_so_and_works(xm):
    client = FakeClient()
    code, _, error = xm("balloon", "web", "64", client=client)
    assert (code, error) == (0, "Command balloon is deprecated.  Please use xm mem-set instead.\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["destroy"], "'xm destroy' requires 1 argument."),
        (["block-attach", "web"], "'xm block-attach' requires between 4 and 5 arguments."),
        (["network-attach"], "'xm network-attach' requires between 1 and 10000 arguments."),
        (["network-list"], "No domain parameter given"),
        (["block-list", "a", "b"], "No multiple domain parameters allowed"),
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
        f"{tmp_path}; start it with: xenprof serve --background. Is xend running?\n"
    )


def test_ctrl_c_says_interrupted_and_fails(xm):
    code, out, error = xm("pause", "web", **{"domains/web/pause": KeyboardInterrupt()})
    assert (code, out, error) == (1, "", "Interrupted.\n")


def test_xm_imports_only_the_module_of_its_command():
    program = (
        "import sys, xenprof.cli.xm.program;"
        "from xenprof.cli.xm.table import find_command; find_command('list', None);"
        "print(*sorted(m for m in sys.modules if m.startswith('xenprof.cli.xm.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert [name.rpartition(".")[2] for name in done.stdout.split()] == [
        "command",
        "listing",
        "looking",
        "program",
        "table",
    ]


def test_xm_imports_no_heavy_library():
    heavy = "{'pydantic', 'numpy', 'starlette', 'click', 'rich', 'prometheus_client', 'textual'}"
    program = (
        "import sys; from xenprof.cli.xm import table;"
        "[table.load(name) for name in table.names('3.1')];"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


MAIN = "from xenprof.cli.xm import main; raise SystemExit(main())"


@pytest.mark.parametrize("words", [["pause", b"\xff"], ["create", b"\xff"], [b"\xff"]])
def test_words_of_any_bytes_end_in_xms_own_error(words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *words],
        env=os.environ | {"XENPROF_HOME": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr[:7], done.stderr.count(b"\n")) == (1, b"Error: ", 1)


def test_a_full_disk_behind_stdout_is_one_line():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", MAIN],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "Error: [Errno 28] No space left on device\n")
