"""xm console: a shell in a guest of a running service, from a script and in a terminal."""

import re
import signal
import subprocess
from types import SimpleNamespace

import pytest

from tests.support.e2e.host import PATIENCE_SECONDS, VMLINUX, XEN, Host, environment
from tests.support.e2e.terminal import Terminal, program

GUEST = "rhel5pvtest"  # id 3
PROMPT = f"[root@{GUEST} ~]#"
# As on the talk's slides; step 9 reads the result of the last line.
SCRIPT = f"""\
# opcontrol -shutdown
opcontrol -shutdown
opcontrol --reset ; opcontrol --start -vmlinux={VMLINUX}
vmstat 1 3
opcontrol --stop ; opcontrol -shutdown
opreport -l
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    host = Host(tmp_path_factory.mktemp("home"))
    yield host
    host.close()


def console(host, text, *, name=GUEST):
    return subprocess.run(
        [program("xm"), "console", name],
        input=text,
        env=environment(host.home),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


@pytest.fixture(scope="module")
def recipe(host):
    """Do step 5 of the talk's recipe in the guest's console, between domain 0's steps."""
    begun = host.run(
        f"opcontrol --reset ; opcontrol --start-daemon --active-domains=0,3 "
        f"--vmlinux={VMLINUX} --xen={XEN} -separate=all"
    )
    done = console(host, SCRIPT)
    ended = host.run("opcontrol --stop ; opcontrol -shutdown")
    return SimpleNamespace(begun=begun, done=done, ended=ended)


def test_the_recipe_succeeds(recipe):
    codes = [recipe.begun.returncode, recipe.done.returncode, recipe.ended.returncode]

    assert [0, 0, 0] == codes, recipe.done


def test_the_guest_is_profiled(recipe):
    assert re.search(r"^\d+ +\d+\.\d+ +linpack +dgemm$", recipe.done.stdout, re.MULTILINE)


def test_vmstat_shows_the_guest_at_work(recipe):
    head, *_ = [line for line in recipe.done.stdout.splitlines() if line.startswith(" r  b")]
    lines = recipe.done.stdout.splitlines()
    first = lines.index(head) + 1
    shares = [sum(map(int, line.split()[-5:])) for line in lines[first : first + 3]]

    assert all(98 <= share <= 102 for share in shares), lines[first : first + 3]


def test_the_status_is_that_of_the_last_command(host):
    assert 127 == console(host, "true\nnosuch\n").returncode


def test_steal_grows_when_the_guest_is_capped(host):
    host.run(f"xm sched-credit -d {GUEST} -c 10")
    text = console(host, "vmstat 2 2\n").stdout
    host.run(f"xm sched-credit -d {GUEST} -c 0")

    assert int(text.splitlines()[-1].split()[-1]) > 50


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("0", "xenconsole: Could not read tty from store: No such file or directory"),
        ("nosuch", "Error: Domain 'nosuch' does not exist."),
    ],
)
def test_a_console_that_there_is_not(host, name, message):
    done = console(host, "hostname\n", name=name)

    assert (1, message) == (done.returncode, done.stderr.splitlines()[0])


def test_a_paused_guest_says_so(host):
    host.run("xm pause ossvm02")
    done = console(host, "uptime\n", name="ossvm02")
    host.run("xm unpause ossvm02")

    assert (1, "uptime: the domain is paused\n") == (done.returncode, done.stderr)


@pytest.fixture
def terminal(host):
    terminal = Terminal(program("xm"), "console", GUEST, environment=environment(host.home))
    terminal.until(lambda lines: PROMPT in lines)
    yield terminal
    terminal.close()


def test_a_terminal_shows_what_the_guest_wrote_first(terminal):
    shown = terminal.lines[: terminal.lines.index(PROMPT)]

    assert "blkfront: xvda: barriers disabled" in shown
    assert f"{GUEST} login: root" == shown[-1]


def test_control_d_leaves(terminal):
    terminal.press("\x04")

    assert 0 == terminal.leave()


def test_control_bracket_leaves_with_a_line_half_typed(terminal):
    terminal.press("nosuch\x1d")

    assert 0 == terminal.leave()


def test_earlier_lines_come_back(terminal, host):
    terminal.press("hostname\rexit 3\r")

    assert 3 == terminal.leave()
    assert ["hostname", "exit 3"] == (host.home / "console_history").read_text().splitlines()[-2:]


def test_control_c_ends_the_command_and_not_the_shell(terminal):
    terminal.press("vmstat 1\r")
    terminal.until(lambda lines: any(line.startswith(" r  b") for line in lines))
    terminal.process.send_signal(signal.SIGINT)  # it has no controlling terminal
    terminal.until(lambda lines: "^C" in "".join(lines) or PROMPT in lines)
    terminal.press("echo $?\r")

    assert terminal.until(lambda lines: "130" in lines)


@pytest.mark.parametrize("keys", ["\x1d", "\x04", "exit\r"])
def test_leaving_after_control_c_is_no_failure(terminal, keys):
    terminal.press("vmstat 1\r")
    terminal.until(lambda lines: any(line.startswith(" r  b") for line in lines))
    terminal.process.send_signal(signal.SIGINT)
    terminal.until(lambda lines: PROMPT in lines)
    terminal.press(keys)

    assert 0 == terminal.leave()


def test_a_key_that_was_typed_outlives_what_the_guest_writes(terminal, host):
    terminal.press("echo half")
    terminal.until(lambda lines: f"{PROMPT} echo half" in lines)
    host.run(f"xm sysrq {GUEST} s")
    terminal.until(
        lambda lines: (
            "Emergency Sync complete" in lines
            and [line for line in lines if line][-1] == f"{PROMPT} echo half"
        )
    )
    terminal.press("way\r")

    assert terminal.until(lambda lines: "halfway" in lines)


GONE = "xenconsole: Could not read tty from store: No such file or directory"


@pytest.fixture
def own(tmp_path):
    """Yield a separate host, for tests that end a domain, and the console of one."""
    host = Host(tmp_path)
    terminal = Terminal(program("xm"), "console", GUEST, environment=environment(host.home))
    terminal.until(lambda lines: PROMPT in lines)
    yield host, terminal
    terminal.close()
    host.close()


@pytest.mark.parametrize(
    ("text", "keys", "last"),
    [
        (f"xm destroy {GUEST}", "", GONE),
        (f"xm sysrq {GUEST} c", "", GONE),
        ("true", "poweroff\r", GONE),
        ("xenprof stop", "", "the xenprof service is not running on"),
    ],
)
def test_a_console_at_its_prompt_ends_with_its_domain(own, text, keys, last):
    host, terminal = own
    terminal.press(keys)
    host.run(text)

    terminal.until(lambda lines: last in "\n".join(lines))

    assert 1 == terminal.leave()


def test_top_refreshes_until_q(terminal):
    terminal.press("top -d 0.2\r")
    terminal.until(lambda lines: lines[0].startswith("top - ") and "Tasks:" in lines[1])
    first = terminal.lines[2]
    terminal.until(lambda lines: lines[2].startswith("Cpu(s):") and lines[2] != first)
    terminal.press("q")
    terminal.until(lambda lines: PROMPT in lines)
    terminal.press("exit\r")

    assert (0, True) == (terminal.leave(), terminal.is_as_before)


def test_what_the_guest_writes_appears_before_the_next_prompt(host):
    terminal = Terminal(program("xm"), "console", "ossvm02", environment=environment(host.home))
    prompt = "[root@ossvm02 ~]#"
    terminal.until(lambda lines: prompt in lines)
    terminal.press("echo s > /proc/sysrq-trigger; sleep 0.5\r")
    lines = terminal.until(lambda lines: lines.count(prompt) == 1 and "SysRq" in "".join(lines))
    terminal.close()

    assert "SysRq : Emergency Sync" in lines


def test_a_guest_that_is_switched_off_takes_its_console_with_it(host):
    done = console(host, "poweroff; sleep 8\nhostname\n", name="r5b2-mySQL01")

    assert (1, "xenconsole: Could not read tty from store: No such file or directory") == (
        done.returncode,
        done.stderr.splitlines()[-1],
    )
