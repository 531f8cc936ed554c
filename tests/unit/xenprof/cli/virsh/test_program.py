import io
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.support.talk_host import DESKTOP, HOST, MYSQL
from xenprof.client import ServiceError, ServiceNotRunning


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dominfo"], "command 'dominfo' requires <domain> option"),
        (["fly"], "unknown command: 'fly'"),
        (["list", "extra"], "unexpected data 'extra'"),
        (["list", "--long"], "command 'list' doesn't support option --long"),
        (["dominfo", "nobody"], "failed to get domain 'nobody'"),
        (["domid", "5"], "failed to get domain '5'"),
        (["domname", "DesktopVM"], "failed to get domain 'DesktopVM'"),
        (["dominfo", '"5'], 'missing "'),
        (["dominfo", "--domain"], "expected syntax: --domain <string>"),
        (["help", "fly"], "command 'fly' doesn't exist"),
        (["--help", "fly"], "command 'fly' doesn't exist"),
        (["setvcpus", "5", "many"], "invalid <count> 'many'; give a whole number from 1 up"),
        (["vcpupin", "5", "7", "0"], "domain '5' has no vcpu 7; use 0 to 0"),
        (["vcpupin", "5", "0", "x"],
         "'x' is not a list of CPUs; write N, A-B or ^N, joined by commas"),
        (["create", "/none.xml"],
         "Failed to read description file /none.xml: No such file or directory"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_exit_code_1(virsh, words, message):
    code, _, err = virsh(*words)

    assert (1, f"error: {message}\n") == (code, err)


def test_every_missing_option_is_named(virsh):
    _, _, err = virsh("save")

    assert (
        "error: command 'save' requires <domain> option\n"
        "error: command 'save' requires <file> option\n"
    ) == err


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (["suspend", "5"], "domains/DesktopVM/pause", {}),
        (["resume", "5"], "domains/DesktopVM/unpause", {}),
        (["shutdown", "DesktopVM"], "domains/DesktopVM/shutdown", {"reason": "poweroff"}),
        (["reboot", "DesktopVM"], "domains/DesktopVM/shutdown", {"reason": "reboot"}),
        (["destroy", "00000000-0000-0000-0000-000000000005"], "domains/DesktopVM/destroy", {}),
        (["save", "5", "/x/s"], "domains/DesktopVM/save", {"path": "/x/s", "checkpoint": False}),
        (["dump", "5", "/x/c"], "domains/DesktopVM/dump-core",
         {"path": "/x/c", "live": False, "crash": False}),
        (["restore", "/x/s"], "restore", {"path": "/x/s", "paused": False}),
        (["setvcpus", "--count", "2", "--domain=5"], "domains/DesktopVM/set-vcpus", {"count": 2}),
        (["vcpupin", "5", "0", "1,3"], "domains/DesktopVM/pin-vcpu", {"vcpu": 0, "pcpus": [1, 3]}),
        (["setmem", "5", "262144"], "domains/DesktopVM/set-memory", {"mib": 256}),
        (["setmaxmem", "5", "524288"], "domains/DesktopVM/set-maximum-memory", {"mib": 512}),
    ],
)  # fmt: skip
def test_a_change_is_one_post(virsh, service, words, path, body):
    code, _, _ = virsh(*words)

    assert (0, [(f"/api/v1/{path}", body)]) == (code, service.posts)


def test_a_refusal_shows_what_xend_says(virsh, service):
    fault = "Cannot pause privileged domain 0"
    service.answers["/api/v1/domains/Domain-0/pause"] = ServiceError(fault, http_status=409)

    code, _, err = virsh("suspend", "0")

    assert (
        1,
        f'libvir: Xen Daemon error : POST operation failed: (xend.err "{fault}")\n'
        "error: Failed to suspend domain 0\n",
    ) == (code, err)


def test_too_little_memory_is_refused_before_xend_hears_of_it(virsh, service):
    code, _, _ = virsh("setmem", "5", "4095")

    assert (1, []) == (code, service.posts)


def test_a_read_only_connection_changes_nothing(virsh, service):
    _, _, err = virsh("connect --readonly; destroy 5")

    assert (
        [],
        "libvir: Domain error : operation virDomainDestroy forbidden for read only access\n"
        "error: Failed to destroy domain 5\n",
    ) == (service.posts, err)


def test_an_id_goes_before_a_name(virsh, service):
    service.hosts = [replace(HOST, domains=(DESKTOP, replace(MYSQL, name="5")))]

    assert "DesktopVM\n\n" == virsh("domname", "5")[1]


def test_a_foreign_hypervisor_is_refused(virsh):
    code, _, err = virsh("-c", "qemu:///system", "list")

    assert (
        1,
        "libvir: error : no support for hypervisor qemu:///system; use xen\n"
        "error: Failed to connect to the hypervisor\n",
    ) == (code, err)


def test_without_a_service_virsh_says_how_to_start_it(virsh, service):
    down = ServiceNotRunning(service.home)
    service.answers["/api/v1/snapshot"] = down

    assert (
        1,
        f"libvir: Xen Daemon error : {down}\nvirsh: error: failed to connect to the hypervisor\n",
    ) == (virsh("list")[0], virsh("list")[2])


def test_the_exit_code_is_that_of_the_last_command(virsh):
    assert (0, 1) == (virsh("domid x; domid DesktopVM")[0], virsh("domid DesktopVM; domid x")[0])


def test_no_command_of_a_wrong_line_runs(virsh, service):
    virsh("destroy 5; fly")

    assert [] == service.posts


def test_quiet_leaves_out_heads_and_blank_lines(virsh):
    assert "  0 Domain-0             running" == virsh("-q", "list")[1].splitlines()[0]


def test_timing_ends_a_command_with_its_time(virsh):
    assert "(Time: " in virsh("--timing", "domid", "DesktopVM")[1]


def test_the_prompt_runs_lines_until_quit(virsh, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("domid DesktopVM\n\ndomid x\nquit\nlist\n"))

    code, out, err = virsh()

    assert (0, "error: failed to get domain 'x'\n") == (code, err)
    assert (
        "Welcome to virsh, the virtualization interactive terminal.\n\n"
        "Type:  'help' for help with commands\n"
        "       'quit' to quit\n\n"
        "virsh # 5\n\nvirsh # virsh # \nvirsh # "
    ) == out


def test_the_prompt_of_a_read_only_connection_differs(virsh, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("connect --readonly\n"))

    assert virsh("-q")[1] == "virsh # virsh > \n"


def test_virsh_starts_without_large_imports():
    code = (
        "import sys; from xenprof.cli.virsh import main; main(['--version']);"
        "print([m for m in ('click', 'pydantic', 'numpy', 'http.client', 'xml.etree', 'readline')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ["0.1.8", "[]"] == done.stdout.splitlines()
