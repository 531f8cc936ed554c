"""The service and the programs on real hosts, whose agents are fakes on real sockets."""

import itertools
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from hypervisor.live.agent.report.fields import to_json
from tests.support.e2e.browser import Browser
from tests.support.e2e.host import shell
from tests.support.e2e.peers import peer, until
from tests.support.live.agents import Agent, running
from tests.support.live.reports import domain0, guest, report
from tests.support.paths import ROOT

PROGRAM = [sys.executable, "-m", "xenprof.cli.main", "serve"]


def answering(name: str):
    """Return what answers as a real host with a guest of this name, whose time goes on."""
    serials = itertools.count(1)

    def answer() -> bytes:
        now_ns = time.monotonic_ns()
        guests = (domain0(now_ns), guest(1, name, now_ns, vcpus=2))
        return to_json(report(now_ns / 1e9, serial=next(serials), domains=guests)).encode()

    return answer


class Watching:
    """A service of two hosts: one behind a Unix socket, one behind a port."""

    def __init__(self, home: Path, url: str, agents: tuple[Agent, Agent]) -> None:
        self.home = home
        self.url = url
        self.agents = agents

    def get(self, path: str) -> str:
        with urlopen(self.url + path) as answer:
            return str(answer.read().decode())

    def scraped(self, line: str) -> str:
        """Return a scrape that has this line, for which it waits a while."""
        return until(lambda: scrape if line in (scrape := self.get("metrics")) else "")


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Iterator[Watching]:
    home = tmp_path_factory.mktemp("home")
    with (
        running(answering("web"), home / "agent.sock") as first,
        running(answering("db\n\x1b[2J")) as second,
    ):
        process = subprocess.Popen(
            [
                *PROGRAM, "--web.listen-address", "127.0.0.1:0", "--state-dir", str(home / "state"),
                "--host", f"one=agent:{home}/agent.sock", "--host", f"two=agent:{second.url}",
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        yield Watching(home / "state", url, (first, second))
        process.terminate()
        process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("xm list", "web"),
        ("xm vcpu-list", "web"),
        ("xm uptime", "web"),
        ("xm info", "xen_scheduler          : credit"),
        ("xm top -b -i 1", "web"),
        ("xentop -b -i 1", "web"),
        ("xenprof virsh list", "web"),
        ("xenprof virsh nodeinfo", "CPU model:           x86_64\nCPU(s):              2\n"),
    ],
)
def test_a_program_that_only_looks_shows_the_first_host(service, command, shown):
    done = shell(service.home, command)

    assert (0, "", True) == (done.returncode, done.stderr, shown in done.stdout)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (
            "xm pause web",
            "Error: xenprof only watches this host: its own toolstack manages its domains; "
            "in its domain 0: xl pause web\n",
        ),
        ("xm create /etc/xen/web", "Error: "),
        ("opcontrol --start", "xenprof only watches this host; to profile it, "),
        ("xenprof trace -", "xenprof: xenprof only watches this host; to trace it, "),
    ],
)
def test_a_command_for_what_it_does_not_offer_fails_in_one_line(service, command, line):
    done = shell(service.home, command)

    assert (done.returncode != 0, done.stderr.startswith(line), done.stderr.count("\n")) == (
        True,
        True,
        1,
    )


def test_a_service_in_the_background_tells_of_a_host_that_does_not_answer(tmp_path):
    options = f"--web.listen-address 127.0.0.1:0 --host xen1=agent:{tmp_path}/none"
    started = shell(tmp_path / "home", f"xenprof serve --background {options}")
    listed = shell(tmp_path / "home", "xenprof top -b -i 1")
    shell(tmp_path / "home", "xenprof stop")

    assert "xenprof: nothing is read of xen1 yet: No such file or directory\n" == started.stderr
    assert listed.stderr.endswith("gets no data from it: No such file or directory\n")


def test_both_hosts_are_in_a_scrape(service):
    scrape = service.scraped('xen_domain_vcpus{domain="web",host="one"} 2')

    assert r'xen_domain_vcpus{domain="db\\n\\x1b[2J",host="two"} 2' in scrape


def test_the_api_tells_the_hosts_and_each_by_its_name(service):
    hosts = json.loads(service.get("api/v1/hosts"))["hosts"]
    two = json.loads(service.get("api/v1/snapshot?host=two"))

    assert [("one", 2), ("two", 2)] == [(one["name"], one["domains"]) for one in hosts]
    assert ("two", r"db\n\x1b[2J") == (two["host"], two["domains"][1]["name"])


def test_a_host_that_the_service_does_not_read_is_not_found(service):
    with pytest.raises(HTTPError) as refused:
        service.get("api/v1/snapshot?host=three")
    refused.value.close()

    assert 404 == refused.value.code


def test_an_agent_that_fails_takes_its_host_with_it_and_no_other(service):
    _, second = service.agents
    second.status = 500
    without = service.scraped('xen_host_up{host="two"} 0')
    second.status = 200
    again = service.scraped('xen_host_up{host="two"} 1')

    assert ('xen_host_up{host="one"} 1' in without, 'domain="db' in without) == (True, False)
    assert 'domain="db' in again


HOSTS = "[...document.querySelectorAll('#hosts a')].map(a => [a.textContent, a.search])"
SHOWN = "document.getElementById('host').textContent"


def test_the_page_lists_the_hosts_and_shows_the_one_that_is_chosen(service, tmp_path):
    program = peer(shutil.which("chromium"), "Chromium")
    with Browser(program, tmp_path) as browser:
        browser.open(f"{service.url}?host=two", 1280)
        browser.until(f"{HOSTS}.length && {SHOWN}")

        assert [["one", "?host=one"], ["two", "?host=two"]] == browser.ask(HOSTS)
        assert ("two", []) == (browser.ask(SHOWN), browser.complaints)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--host xen1", "xenprof: 'xen1' names no host; give xen, agent:PATH, agent:URL or ssh:NAME"),
        ("--host ssh:-oProxyCommand=x", "xenprof: 'ssh:-oProxyCommand=x' names no host"),
        ("--host agent:/a --host agent:/b", f"xenprof: agent:/a and agent:/b are both called {socket.gethostname()}"),
        ("--host agent:/a --scenario noisy", "xenprof: --scenario is for a model, not for a real --host"),
        ("--host agent:/a --host.period 10ms", "xenprof: --host.period is at least 1s"),
        ("--host agent:/a --host.password-file /nonexistent", "xenprof: --host.password-file: /nonexistent: No such file"),
        ("--host agent:/a --history 10s", "xenprof: xenprof only watches this host; to profile it, "),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_are_refused_in_one_line(tmp_path, options, line):
    done = shell(tmp_path, f"xenprof serve --web.listen-address 127.0.0.1:0 {options}")

    assert (done.stdout, done.stderr.startswith(line), done.stderr.count("\n")) == ("", True, 1)


SSH = """#!{python}
import sys
assert sys.argv[-4:] == ["root@xen1", "--", "xenprof-agent", "--pipe"], sys.argv
for number, _ in enumerate(sys.stdin):
    print({body!r}.replace('"serial":1,', f'"serial":{{number}},'), flush=True)
"""


def test_a_host_is_read_through_ssh(tmp_path):
    ssh = tmp_path / "ssh"
    ssh.write_text(SSH.format(python=sys.executable, body=to_json(report())))
    ssh.chmod(0o755)
    started = shell(
        tmp_path,
        f"PATH={tmp_path}:$PATH xenprof serve --background --web.listen-address 127.0.0.1:0"
        " --host ssh:root@xen1; xm list; xm info; xenprof stop",
    )

    assert ("serving xen1 on ", True, True) == (
        started.stdout.split("xenprof: ")[1][:16],
        "web " in started.stdout,
        "host                   : xen1" in started.stdout,
    )
