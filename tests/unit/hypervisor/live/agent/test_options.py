import shlex
import subprocess
import sys

import pytest

from hypervisor.live.agent.options import Options, parse_options
from hypervisor.live.agent.web.listening import Address
from tests.support.paths import ROOT


def parsed(*arguments):
    return parse_options(arguments, "1.0")


def test_without_options_it_serves_on_the_loopback_interface():
    assert Options(addresses=(Address("127.0.0.1", 10032),)) == parsed()


def test_with_a_socket_of_a_file_there_is_no_address_unless_one_is_given():
    assert () == parsed("--web.unix-socket", "/run/a").addresses
    both = parsed("--web.unix-socket", "/run/a", "--web.listen-address", "[::1]:1")
    assert (Address("::1", 1),) == both.addresses


def test_all_options_are_read():
    assert Options(
        addresses=(Address("127.0.0.1", 1), Address("localhost", 2)),
        unix_socket="/run/a",
        web_config="web.yml",
        telemetry_path="/xen",
        period_seconds=2.5,
        sample_hz=0,
    ) == parsed(
        *("--web.listen-address", "127.0.0.1:1", "--web.listen-address=localhost:2"),
        *("--web.unix-socket", "/run/a", "--web.config.file", "web.yml"),
        *("--web.telemetry-path", "/xen", "--period", "2.5", "--sample-hz", "0"),
    )


def unit_options(of_the_user):
    """Return the options that systemd gives the agent, with those of /etc/default/xenprof-agent."""
    unit = (ROOT / "deploy" / "systemd" / "xenprof-agent.service").read_text().splitlines()
    (command,) = (line for line in unit if line.startswith("ExecStart="))
    (environment,) = (line for line in unit if line.startswith('Environment="XENPROF_AGENT'))
    words = command.replace("%t", "/run").split()[3:]
    assert "$XENPROF_AGENT_OPTIONS" == words.pop()
    standing = shlex.split(environment)[0].partition("XENPROF_AGENT_OPTIONS=")[2]
    given = standing if of_the_user is None else of_the_user
    return parsed(*words, *given.split())


def test_the_unit_serves_on_a_socket_and_the_loopback_interface():
    options = unit_options(None)

    assert ("/run/xenprof/agent.sock", (Address("127.0.0.1", 10032),)) == (
        options.unix_socket,
        options.addresses,
    )


def test_options_of_the_user_can_open_the_port_of_the_unit_to_others():
    options = unit_options("--web.listen-address 0.0.0.0:10032 --web.config.file /etc/a.yml")

    assert (Address("0.0.0.0", 10032),) == options.addresses


@pytest.mark.parametrize("do", ["check", "once", "pipe"])
def test_it_does_one_thing_instead_of_serving(do):
    assert do == parsed(f"--{do}").do


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["word"],
        ["--web.listen-address", "nowhere"],
        ["--web.listen-address"],
        ["--web.telemetry-path", "metrics"],
        ["--web.telemetry-path", "/"],
        ["--web.telemetry-path", "/-/ready"],
        ["--web.telemetry-path", "/../x"],
        ["--web.telemetry-path", '/a"b'],
        ["--period", "0"],
        ["--period", "nan"],
        ["--period", "x"],
        ["--sample-hz", "101"],
        ["--sample-hz", "-1"],
        ["--sample-hz", "1.5"],
        ["--check", "--once"],
        ["--che"],
        ["--period", "two\nlines"],
    ],
)
def test_a_mistake_is_one_line_and_exit_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        parsed(*arguments)
    told = capsys.readouterr()

    assert (2, "") == (caught.value.code, told.out)
    assert told.err.startswith("xenprof-agent: ")
    assert 1 == told.err.count("\n")


@pytest.mark.parametrize(
    ("option", "text"), [("--version", "xenprof-agent 1.0"), ("--help", "--web.listen-address")]
)
def test_it_tells_what_it_is(option, text, capsys):
    with pytest.raises(SystemExit) as caught:
        parsed(option)

    assert 0 == caught.value.code
    assert text in capsys.readouterr().out


@pytest.mark.parametrize("command", [[], ["trace"], ["contexts"], ["xenoprof"]])
def test_it_tells_how_to_use_it_without_docstrings_too(command):
    program = (
        "import sys; from hypervisor.live.agent.main import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-OO", "-c", program, *command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("usage: xenprof-agent")
