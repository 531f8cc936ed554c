"""The opcontrol program: what it prints, saves, and requests from the service."""

import subprocess
import sys

import pytest

from hypervisor.elf import ElfSymbol, write_elf
from hypervisor.errors import HostError
from tests.support.fake_host import KERNEL_START, VMLINUX, XEN, XEN_START, FakeHost
from tests.support.json_service import JsonService
from xenprof.cli.opcontrol import main
from xenprof.client import ServiceError
from xenprof.home import domain_root
from xenprof.session.sessions import Sessions
from xenprof.wire.codec import decode
from xenprof.wire.opcontrol import Setup, Status

TEXT_SIZE = 0x2000


class Client(JsonService):
    """The control API in this process, over a fake host."""

    def __init__(self, host: FakeHost, home) -> None:
        self.sessions = Sessions(host, home)
        self.host = host
        self.setups: list[Setup | None] = []

    def answer_get(self, path):
        _, _, _, _, domain, _, name = path.split("/", 6)
        try:
            return {"value": self.host.profiler.oprofile(domain).read(name)}
        except HostError as error:
            raise ServiceError(str(error), type=type(error).__name__) from None

    def answer_post(self, path, given):
        _, _, _, _, domain, _, verb = path.split("/")
        setup = decode(Setup, given["setup"]) if given.get("setup") else None
        if verb == "status":
            status = self.sessions.status(domain)
            return Status((status.line,), status=status)
        if verb in ("start", "start-daemon", "reset"):
            self.setups.append(setup)
            outcome = getattr(self.sessions, verb.replace("-", "_"))(domain, setup)
        elif verb == "save":
            outcome = self.sessions.save(domain, given["name"], setup)
        else:
            outcome = getattr(self.sessions, verb)(domain)
        return outcome


class Shell:
    """A shell that runs opcontrol and keeps what it printed last."""

    def __init__(self, home, capsys) -> None:
        self.home = home
        self.client = Client(FakeHost("Domain-0", "web"), home)
        self.capsys = capsys
        self.out = self.err = ""

    def __call__(self, *words: str) -> int:
        code = main(words, client=self.client, state=self.home)
        self.out, self.err = self.capsys.readouterr()
        return code

    def root(self, domain="Domain-0"):
        return domain_root(self.home, domain)

    def daemonrc(self, domain="Domain-0", name="daemonrc"):
        path = self.root(domain) / "root/.oprofile" / name
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def opcontrol(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("XENPROF_DOMAIN", raising=False)
    for domain in ("Domain-0", "web"):
        for path, address in ((VMLINUX, KERNEL_START), (XEN, XEN_START)):
            image = domain_root(tmp_path, domain) / path.lstrip("/")
            image.parent.mkdir(parents=True)
            symbols = [ElfSymbol("first", address, 16)]
            image.write_bytes(
                write_elf(symbols, text_address=address, text_size=TEXT_SIZE, build_id=None)
            )
    return Shell(tmp_path, capsys)


# -- the command line


def test_no_arguments_print_the_usage_on_stderr(opcontrol):
    assert (opcontrol(), opcontrol.out, "--start-daemon" in opcontrol.err) == (0, "", True)


@pytest.mark.parametrize("word", ["--help", "-?"])
def test_help_succeeds(opcontrol, word):
    assert (opcontrol(word), "--active-domains" in opcontrol.out) == (0, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--x"], 'Unknown option "--x". See opcontrol --help'),
        (["start"], 'Unknown option "start". See opcontrol --help'),
        (["--stop", "--dump"], 'Option "--dump" not valid with other options.'),
        (["--stop", "--no-vmlinux"], 'Option "--setup" not valid with "--stop".'),
        (["--setup"], "No options specified for --setup."),
        (["--buffer-size=1o"], "Argument for --buffer-size, 1o, is not a valid number."),
        (["--vmlinux=/a b"], "Argument for --vmlinux, /a b, is not valid argument."),
        (["--save=a/b"], "Argument for --save, a/b, cannot change directory."),
        (["--kernel-range=12"], "Argument for --kernel-range, 12, is not valid argument."),
        (["--vmlinux=/nowhere"], 'The specified vmlinux file "/nowhere" doesn\'t exist.'),
        (["--event=NOPE:100000"], 'No such event "NOPE"'),
        (
            ["--event=INSTR_RETIRED:10"],
            "Count 10 for event INSTR_RETIRED is below the minimum 6000",
        ),
        (["--callgraph=4"], "Call-graph profiling unsupported on this kernel/hardware"),
        (
            ["--dump"],
            "Unable to complete dump of oprofile data: is the oprofile daemon running?",
        ),
        (["--domain=9", "--status"], "Domain '9' does not exist."),
        (
            ["--no-vmlinux", "--active-domains=0,1"],
            'Option "--active-domains" needs --start-daemon on the same command line.',
        ),
        (
            ["--start-daemon", "--no-vmlinux", "--active-domains=0,1", "--passive-domains=1"],
            "Domain 1 is in both --active-domains and --passive-domains.",
        ),
    ],
)
def test_mistake_is_told_in_one_line_with_exit_code_1(opcontrol, words, message):
    assert (opcontrol(*words), opcontrol.err, opcontrol.out) == (1, f"{message}\n", "")


def test_missing_value_is_followed_by_the_usage(opcontrol):
    assert opcontrol("--vmlinux") == 1
    first, *usage = opcontrol.err.splitlines()
    assert (first, usage[0]) == ("No value given for option --vmlinux", "opcontrol: usage:")


def test_bad_separation_is_told_on_stdout(opcontrol):
    assert (opcontrol("--separate=lib,all,x"), opcontrol.out) == (
        1,
        "invalid --separate= argument: x\n",
    )


@pytest.mark.parametrize(
    ("words", "read_as"),
    [
        (["-status"], "--status"),
        (["\u2013status"], "--status"),
        (["\u2014status"], "--status"),
        (["-separate=all"], "--separate=all"),
        (["--buffer-", "size=65536"], "--buffer-size=65536"),
        (["-", "no-vmlinux"], "--no-vmlinux"),
    ],
)
def test_mangled_option_is_understood_with_one_line_of_notice(opcontrol, words, read_as):
    assert (opcontrol(*words), opcontrol.err) == (0, f"opcontrol: read as {read_as}\n")


def test_values_may_stand_apart_and_short_options_work(opcontrol):
    opcontrol("-e", "INSTR_RETIRED:6000", "--vmlinux", VMLINUX)
    assert {"CHOSEN_EVENTS_0=INSTR_RETIRED:6000:1:1:1", f"VMLINUX={VMLINUX}"} <= set(
        opcontrol.daemonrc()
    )


# -- setup and daemonrc


def test_setup_is_remembered_line_by_line_in_the_originals_order(opcontrol):
    opcontrol(
        "--setup", f"--vmlinux={VMLINUX}", f"--xen={XEN}", "--separate=lib,cpu", "--event=default",
        "--event=GLOBAL_POWER_EVENTS:100000", "--buffer-size=0x10000", "--image=/bin/ls",
    )  # fmt: skip
    assert opcontrol.daemonrc() == [
        "SESSION_DIR=/var/lib/oprofile",
        "CHOSEN_EVENTS_0=GLOBAL_POWER_EVENTS:100000:1:1:1",
        "NR_CHOSEN=1",
        "SEPARATE_LIB=1",
        "SEPARATE_KERNEL=0",
        "SEPARATE_THREAD=0",
        "SEPARATE_CPU=1",
        f"VMLINUX={VMLINUX}",
        "IMAGE_FILTER=/bin/ls",
        "BUF_SIZE=65536",
        "CPU_BUF_SIZE=0",
        "CALLGRAPH=0",
        f"XENIMAGE={XEN}",
    ]


def test_first_event_of_a_command_replaces_the_remembered_ones(opcontrol):
    opcontrol("--event=GLOBAL_POWER_EVENTS:100000", "--event=INSTR_RETIRED:6000")
    opcontrol("--event=INSTR_RETIRED:7000")
    assert "NR_CHOSEN=1" in opcontrol.daemonrc()


def test_each_separate_option_starts_from_none(opcontrol):
    opcontrol("--separate=all")
    opcontrol("--separate=cpu")
    assert [line for line in opcontrol.daemonrc() if line.endswith("=1")] == ["SEPARATE_CPU=1"]


def test_damaged_daemonrc_is_refused(opcontrol):
    path = opcontrol.root() / "root/.oprofile/daemonrc"
    path.parent.mkdir(parents=True)
    path.write_text("VMLINUX=`reboot`\n")
    assert (opcontrol("--status"), opcontrol.err) == (
        1,
        f'Invalid value "`reboot`" for VMLINUX in {path}.\n',
    )


def test_status_prints_state_and_setup(opcontrol):
    opcontrol("--separate=all", "--event=INSTR_RETIRED:6000", "--no-vmlinux")
    opcontrol("--status")
    assert opcontrol.out.splitlines() == [
        "Daemon not running",
        "Session-dir: /var/lib/oprofile",
        "Event 0: INSTR_RETIRED:6000:1:1:1",
        "Separate options: library kernel thread cpu",
        "vmlinux file: none",
        "Image filter: none",
        "Call-graph depth: 0",
    ]


def test_setup_while_a_daemon_runs_waits_for_the_next_one(opcontrol):
    opcontrol("--start-daemon", "--no-vmlinux")
    opcontrol("--separate=cpu")
    told, during = opcontrol.out.count("\n"), opcontrol.daemonrc()
    opcontrol("--shutdown")
    opcontrol("--status")
    assert (told, "SEPARATE_CPU=0" in during, "SEPARATE_CPU=1" in opcontrol.daemonrc()) == (
        2,
        True,
        True,
    )


def test_domain_lists_are_not_remembered(opcontrol):
    opcontrol("--start-daemon", "--no-vmlinux", "--active-domains=0,1")
    opcontrol("--shutdown")
    opcontrol("--start-daemon")
    assert opcontrol.client.setups[-1].active_domains is None


# -- operations


def test_start_sends_the_ranges_of_the_images(opcontrol):
    opcontrol("--start", f"--vmlinux={VMLINUX}", f"--xen={XEN}")
    setup = opcontrol.client.setups[-1]
    assert (setup.kernel_range, setup.xen_range) == (
        (KERNEL_START, KERNEL_START + TEXT_SIZE),
        (XEN_START, XEN_START + TEXT_SIZE),
    )


def test_given_kernel_range_is_taken_and_remembered(opcontrol):
    opcontrol("--start", f"--vmlinux={VMLINUX}", "--kernel-range=0x1000,0x2000")
    assert (opcontrol.client.setups[-1].kernel_range, opcontrol.daemonrc()[-2]) == (
        (0x1000, 0x2000),
        "KERNEL_RANGE=0x1000,0x2000",
    )


def test_start_without_a_decision_about_vmlinux_is_refused(opcontrol):
    code = opcontrol("--start")
    lines = opcontrol.err.splitlines()
    assert (code, len(lines), lines[0][:28]) == (1, 5, "No vmlinux file specified. Y")


@pytest.mark.parametrize("content", [None, b"no ELF file"])
def test_xen_image_that_cannot_be_used_is_refused_at_start(opcontrol, content):
    path = "/boot/xen.gz"
    if content:
        file = opcontrol.root() / path.lstrip("/")
        file.parent.mkdir()
        file.write_bytes(content)
    code = opcontrol("--start", f"--vmlinux={VMLINUX}", f"--xen={path}")
    assert (code, opcontrol.err.splitlines()[0]) == (
        1,
        "The specified file /boot/xen.gz does not seem to be valid",
    )


def test_daemon_lines_then_profiler_running(opcontrol):
    assert opcontrol("--start", "--no-vmlinux") == 0
    assert opcontrol.out.splitlines() == [
        "Using default event: GLOBAL_POWER_EVENTS:100000:1:1:1",
        "Using 2.6+ OProfile kernel interface.",
        "Using log file /var/lib/oprofile/samples/oprofiled.log",
        "Daemon started.",
        "Profiler running.",
    ]


def test_domain_option_chooses_the_domain(opcontrol):
    opcontrol("--domain=web", "--separate=cpu")
    assert (opcontrol.daemonrc("Domain-0"), len(opcontrol.daemonrc("web")) > 0) == ([], True)


def test_environment_chooses_the_domain(opcontrol, monkeypatch):
    monkeypatch.setenv("XENPROF_DOMAIN", "web")
    opcontrol("--separate=cpu")
    assert len(opcontrol.daemonrc("web")) > 0


def test_list_events_prints_those_of_the_hosts_cpu(opcontrol):
    opcontrol("--list-events")
    assert (
        'oprofile: available events for CPU type "P4 / Xeon with 2 hyper-threads"' in opcontrol.out
    )


def test_recipe_of_the_talk_works_as_pasted(opcontrol):
    """Wrapped lines are joined with a blank, as a shell user would join them."""
    codes = [
        opcontrol("-shutdown"),
        opcontrol("--reset"),
        opcontrol(
            "--start-daemon", "--active-", "domains=0,1",
            "--vmlinux=/usr/lib/debug/lib/modules/2.6.18-", "8.el5xen/vmlinux",
            "--xen=/usr/lib/debug/boot/xen-syms-2.6.18-", "8.el5.debug", "-separate=all",
        ),
        opcontrol("--domain=web", "--reset"),
        opcontrol("--domain=web", "--start", "-", f"vmlinux={VMLINUX}"),
    ]  # fmt: skip
    counting = opcontrol.client.host.profiler.state
    for domain in ("web", "Domain-0"):
        codes += [opcontrol("--domain", domain, verb) for verb in ("--stop", "-shutdown")]
    assert (codes, counting, opcontrol.client.host.profiler.state) == ([0] * 9, "profiling", "idle")


def test_program_starts_without_heavy_libraries():
    code = "import sys, xenprof.cli.opcontrol; print(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "pydantic", "starlette", "click", "rich", "prometheus_client"}
    assert heavy & set(found.stdout.split()) == set()
