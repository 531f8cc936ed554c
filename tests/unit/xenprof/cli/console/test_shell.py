"""The shell of a guest's console: how it runs commands, and what each prints."""

from dataclasses import replace

import pytest

from tests.support.console_guest import FakeService, domain, guest
from xenprof.cli.console.command import Command
from xenprof.cli.console.filters import FILTERS
from xenprof.cli.console.session import run_script
from xenprof.cli.console.shell import Shell
from xenprof.cli.console.table import COMMANDS, help_text
from xenprof.cli.main import PROGRAMS
from xenprof.client import ServiceError


def run(*lines, service=None):
    """Run lines as a script; return the status."""
    shell = Shell(guest(service), COMMANDS, help_text)
    run_script(shell, [f"{line}\n" for line in lines])
    return shell.status


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("true && echo yes || echo no", "yes\n"),
        ("false && echo yes || echo no", "no\n"),
        ("false || false; echo $?", "1\n"),
        ("foo; echo $?", "127\n"),
        ("echo a | b; echo $?", ""),
        ("echo -n a; echo b 'c  d'", "ab c  d\n"),
        ("echo a > /dev/null; echo b", "b\n"),
        ("hostname", "web\n"),
        ("date", "Wed May  9 09:16:40 UTC 2007\n"),
        ("date +%Y-%m-%d", "2007-05-09\n"),
        ("uname", "Linux\n"),
        ("uname -r", "2.6.18-8.el5xen\n"),
        (
            "uname -a",
            "Linux web 2.6.18-8.el5xen #1 SMP Fri Jan 26 14:29:35 EST 2007 x86_64 x86_64 x86_64 GNU/Linux\n",
        ),
        ("dmesg", "booted\n"),
        ("cat /proc/uptime", "1000.00 640.00\n"),
        ("uptime", " 09:16:40 up 16 min,  1 user,  load average: 1.25, 0.80, 0.33\n"),
        ("sync; sleep 0", ""),
        ("id", "uid=0(root) gid=0(root) groups=0(root),1(bin),2(daemon),3(sys),4(adm),6(disk),10(wheel)\n"),
        ("cat /etc/redhat-release", "Red Hat Enterprise Linux Server release 5 (Tikanga)\n"),
        (
            "cat /proc/swaps",
            "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n"
            "/dev/xvda2                              partition\t1048568\t4096\t-1\n",
        ),
        ("ls /proc | head -4", "701\n1001\ncpuinfo\ndiskstats\n"),
        ("ls /proc | tail -n 2", "version\nvmstat\n"),
        ("ls /proc | head -n0; ls /proc | tail -0", ""),
        ("cat /proc/meminfo | grep -i ^swapt", "SwapTotal:      1048568 kB\n"),
        ("cat /proc/meminfo | grep -v -i e | wc -l", "1\n"),
        ("cat /proc/meminfo | grep 'Swap[TF].*:'|wc -l > /dev/null", ""),
        ("echo a+b | grep a+; echo $?; echo aa | grep a+; echo $?", "a+b\n0\n1\n"),
        ("vmstat 1 | head -3 | wc -l", "3\n"),
        ("cat /sys/block/xvda/queue/scheduler", "[noop] anticipatory deadline cfq\n"),
        ("ls /sys/block; ls /sys/block/xvda/queue/", "xvda\nnr_requests\nscheduler\n"),
        ("false | wc -l && echo $?", "0\n0\n"),
    ],
)  # fmt: skip
def test_answers(line, expected, capsys):
    run(line)

    assert expected == capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "message", "status"),
    [
        ("foo", "-bash: foo: command not found", 127),
        ("echo a | b", "-bash: `| b' is not understood here: only grep, head, tail and wc are", 2),
        ("echo a | wc", "Usage: wc -l", 1),
        ("modprobe", "Usage: modprobe xen-vbd|xen-vnif...", 1),
        ("modprobe e1000", "FATAL: Module e1000 not found. (here: xen-platform-pci, xen-vbd, xen-vnif)", 1),
        ("ls /sys/class", "ls: /sys/class: No such file or directory", 1),
        ("cat /sys/a", "cat: /sys/a: No such file or directory", 1),
        ("echo a | head -n x", "head: x: invalid number of lines", 1),
        ("echo a | tail b", "tail: only what is piped to it can be read\nUsage: tail [-n N|-N]", 1),
        ("echo a | grep", "Usage: grep [-v] [-i] PATTERN", 2),
        ("echo a | grep '[a'", "grep: `[a': Invalid regular expression", 2),
        ("echo a | grep '\\(a'", "grep: `\\(a': of patterns only . * [] ^ $ are understood here", 2),
        ("ls /etc", "ls: only /proc and /sys can be listed: ls /proc", 1),
        ("id x", "id: there is only root here: id", 1),
        ("''", "-bash: : command not found", 127),
        ("a 'b", "-bash: unexpected EOF while looking for matching `''", 2),
        ("cat /proc/nosuch", "cat: /proc/nosuch: No such file or directory", 1),
        ("cat /etc/passwd", "cat: /etc/passwd: No such file or directory", 1),
        ("echo a > /tmp/b", "-bash: /tmp/b: Read-only file system", 1),
        ("sleep", "sleep: missing operand", 1),
        ("sleep soon", "sleep: invalid time interval `soon'", 1),
        ("vmstat soon", "vmstat: 'soon' is no number from 0.001\nusage: vmstat [-n] [delay [count]]", 1),
        ("vmstat 1 0", "vmstat: '0' is no number from 1\nusage: vmstat [-n] [delay [count]]", 1),
        ("vmstat nan", "vmstat: 'nan' is no number from 0.001\nusage: vmstat [-n] [delay [count]]", 1),
        ("vmstat 1 2 3", "usage: vmstat [-n] [delay [count]]", 1),
        ("free -x", "free: option -x not recognized\nusage: free [-b|-k|-m|-g] [-t]", 1),
        ("top", "top: failed tty get; use -b", 1),
        ("top x", "top: unknown argument 'x'\nusage: top -b | -d delay | -n iterations", 1),
        ("uname x", "uname: extra operand `x'", 1),
        ("date 05091200", "date: the clock can only be read: date [+FORMAT]", 1),
        ("hostname x", "hostname: the name is the domain's; change it with xm rename", 1),
        ("shutdown -h 5", "Usage: shutdown -h|-r|-P|-H now", 1),
        ("exit x", "-bash: exit: x: numeric argument required", 255),
        (
            "echo 1 > /proc/xen/balloon",
            "-bash: /proc/xen/balloon: the target is set from Domain-0 here: xm mem-set web <Mem>",
            1,
        ),
    ],
)  # fmt: skip
def test_complaints(line, message, status, capsys):
    assert (status, message + "\n") == (run(line), capsys.readouterr().err)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sleep 1.5 2m", ("/api/v1/wait", {"seconds": 121.5})),
        ("echo c > /proc/sysrq-trigger", ("/api/v1/domains/3/sysrq", {"key": "c"})),
        ("poweroff", ("/api/v1/domains/3/shutdown", {"reason": "poweroff"})),
        ("halt", ("/api/v1/domains/3/shutdown", {"reason": "halt"})),
        ("reboot", ("/api/v1/domains/3/shutdown", {"reason": "reboot"})),
        ("shutdown -r now", ("/api/v1/domains/3/shutdown", {"reason": "reboot"})),
        ("shutdown -h now", ("/api/v1/domains/3/shutdown", {"reason": "poweroff"})),
    ],
)
def test_what_is_asked_of_the_host(line, expected):
    service = FakeService()
    run(line, service=service)

    assert [expected] == service.posts


@pytest.mark.parametrize("line", ["reboot", "shutdown -r now"])
def test_a_fully_virtualized_guest_ends_without_xend(line):
    service = FakeService(replace(domain(), kind="hvm"))
    run(line, service=service)

    path = "/api/v1/domains/3/write-sys"
    assert [(path, {"path": "kernel/runlevel", "text": "reboot"})] == service.posts


@pytest.mark.parametrize(
    ("state", "message"), [("paused", "is paused"), ("crashed", "has shut down")]
)
def test_a_domain_that_does_not_run_says_so(state, message, capsys):
    status = run("uptime", service=FakeService(domain(state=state)))

    assert (1, f"uptime: the domain {message}\n") == (status, capsys.readouterr().err)


@pytest.mark.parametrize(("line", "status"), [("exit", 1), ("exit 3", 3), ("logout 256", 0)])
def test_exit_leaves_with_the_last_status_or_its_own(line, status, capsys):
    assert (status, "") == (run("false", line, "echo no"), capsys.readouterr().out)


def test_lines_that_end_in_a_backslash_are_joined(capsys):
    run("echo a \\", "b \\", "c")

    assert "a b c\n" == capsys.readouterr().out


def test_oprofile_programs_act_in_the_guest(monkeypatch):
    seen = []

    def main(words):
        import os

        seen.append((words, os.environ.get("XENPROF_DOMAIN")))
        return 3

    monkeypatch.delenv("XENPROF_DOMAIN", raising=False)
    monkeypatch.setattr("xenprof.cli.opcontrol.main", main)

    assert (3, [(["--start", "-vmlinux=x"], "web")]) == (run("opcontrol --start -vmlinux=x"), seen)


def test_every_oprofile_program_is_a_command():
    assert {name for name in PROGRAMS if name.startswith("op")} <= COMMANDS.keys()


def interrupted(guest, words):
    raise KeyboardInterrupt


def test_an_interrupt_ends_the_command_and_the_script(capsys):
    commands = {**COMMANDS, "sleep": Command(interrupted, "")}
    shell = Shell(guest(), commands, help_text)
    run_script(shell, ["sleep 5\n", "hostname\n"])

    assert (130, "\n") == (shell.status, capsys.readouterr().out)


def test_help_names_every_command():
    listed = [line.split()[0] for line in help_text().splitlines()]

    assert sorted([*COMMANDS, *FILTERS, "exit", "help", "logout"]) == listed


def test_dmesg_leaves_out_what_init_wrote(capsys):
    text = "xen_mem: a\nINIT: version 2.86 booting\n\nKernel 2 on an i686\nweb login: root\nSysRq : b\n"
    run("dmesg", service=FakeService(console=text))

    assert "xen_mem: a\nSysRq : b\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "status"), [("exit", 0), ("exit 130", 130), ("nosuch\nexit", 127)]
)
def test_exit_after_an_interrupted_command(line, status):
    shell = Shell(guest(), COMMANDS, help_text)
    shell.status = 130
    run_script(shell, line.splitlines())

    assert status == shell.status


def test_a_paused_guest_reports_when_it_goes_on(monkeypatch):
    class Paused(FakeService):
        def answer_post(self, path, body):
            self.domains = [domain(state="paused")]
            return super().answer_post(path, body)

    service = Paused()
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            service.domains = [domain()]

    monkeypatch.setattr("xenprof.cli.console.guest.time.sleep", sleep)
    run("vmstat 1 2", service=service)

    assert 3 == len(slept)


def test_a_file_below_sys_is_written_by_the_domains_kernel():
    service = FakeService()
    run("echo deadline > /sys/block/xvda/queue/scheduler", service=service)

    asked = {"path": "block/xvda/queue/scheduler", "text": "deadline\n"}
    assert service.posts == [("/api/v1/domains/3/write-sys", asked)]


def test_modprobe_loads_drivers_by_the_files_of_the_guests_kernel():
    service = FakeService()
    run("modprobe xen-platform-pci xen_vbd xen-vnif", service=service)

    asked = [{"path": f"bus/xen/drivers/{kind}/bind", "text": kind} for kind in ("vbd", "vif")]
    assert [("/api/v1/domains/3/write-sys", one) for one in asked] == service.posts


@pytest.mark.parametrize(
    ("type", "told"),
    [
        ("Refused", "FATAL: Error inserting xen-vnif: No such device (only a fully virtualized "
         "guest loads it)\n"),
        ("Busy", "modprobe: the service is stopping\n"),
    ],
)  # fmt: skip
def test_a_module_that_is_not_loaded_is_told_with_why(capsys, type, told):
    class Refusing(FakeService):
        def answer_post(self, path, body):
            if body["text"] == "vif":
                raise ServiceError("the service is stopping", type=type)
            return {}

    assert 1 == run("modprobe xen-vbd xen-vnif", service=Refusing())
    assert told == capsys.readouterr().err
