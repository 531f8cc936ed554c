"""Every xm command's output, from a fixed host and canned answers, in both versions of the tools."""

import shlex
from pathlib import Path

import pytest

from tests.support.talk_host import FakeClient
from tests.support.xm_answers import ANSWERS, NEW, OLD, SEDF, WITH_ZOMBIE
from xenprof.cli.xm import main
from xenprof.cli.xm.table import names

EXPECTED = Path(__file__).parent / "expected"

CASES = {
    # help
    "alone": "",
    "help": "help",
    "help_of_create": "help create",
    "help_as_in_the_talk": "help --help create",
    "not_found": "nosuch",
    "usage_with_options": "sched-credit --help",
    "deprecated": "vif-list 13",
    "wrong_count": "vcpu-pin 13",
    # listings; columns as in the talk
    "list": "list",
    "list_one": "list ossvm02",
    "list_label": "list --label",
    "list_long": "list --long 13",
    "list_vcpus": "list -v 13",
    "list_unknown": "list nosuch",
    "vcpu-list": "vcpu-list 0 13 ossvm02",
    "domid": "domid r5b2-mySQL01",
    "domname": "domname 13",
    "uptime": "uptime",
    "uptime_short": "uptime -s 0 13",
    "info": "info",
    "dmesg": "dmesg",
    "dmesg_clear": "dmesg -c",
    "log": "log",
    "top": "top -b -i 1",
    "block-list": "block-list 13",
    "block-list_long": "block-list --long 13",
    "block-list_empty": "block-list 0",
    "network-list": "network-list 13",
    "network-list_long": "network-list -l 13",
    "vtpm-list": "vtpm-list 13",
    # schedulers; sched-credit as in the talk
    "sched-credit_of_domain_0": "sched-credit -d 0",
    "sched-credit": "csched -d 13",
    "sched-credit_set": "csched -d 13 -w 512",
    "sched-credit_without_domain": "sched-credit",
    "sched-credit_long_options": "sched-credit -d 13 --cap=50",
    "sched-credit_refused": "sched-credit -d 5 -w 65536",
    "sched-sedf_under_credit": "sched-sedf",
    # life cycle
    "create": "create guest",
    "create_quiet": "create -q guest",
    "create_dry_run": "create -n guest memory=64",
    "create_without_file": "create nosuch",
    "destroy": "destroy 13",
    "destroy_domain_0": "destroy 0",
    "destroy_unknown": "destroy nosuch",
    "pause": "pause 13",
    "pause_domain_0": "pause 0",
    "unpause": "unpause 13",
    "shutdown": "shutdown 13",
    "shutdown_domain_0": "shutdown Domain-0",
    "shutdown_both_ways": "shutdown -R -H 13",
    "reboot": "reboot 13",
    "rename": "rename 5 shop",
    "rename_clash": "rename 13 WinDoof",
    "save": "save 13 guest.restore",
    "save_unwritable": "save 13 nosuch/guest.restore",
    "restore": "restore guest",
    "restore_unreadable": "restore nosuch",
    "migrate": "migrate --live 13 host2",
    "dump-core": "dump-core 13",
    "dump-core_crash": "dump-core -L -C 13 core",
    "sysrq": "sysrq 13 h",
    "console_unknown": "console nosuch",
    # memory and vcpus
    "mem-set": "mem-set ossvm02 128",
    "mem-set_refused": "mem-set 3 0",
    "mem-max": "mem-max ossvm02 1g",
    "mem-max_refused": "mem-max 13 64",
    "vcpu-set": "vcpu-set 13 2",
    "vcpu-pin": "vcpu-pin 13 all 0-3,^1",
    "vcpu-pin_no_list": "vcpu-pin 13 0 x",
    # devices
    "block-attach": "block-attach 13 phy:sdb1 xvdb w",
    "block-attach_twice": "block-attach 5 phy:sdb1 xvda w",
    "block-configure": "block-configure WinDoof file:/a.iso hdc r",
    "block-detach": "block-detach 13 xvdb",
    "network-attach": "network-attach 13 bridge=xenbr0",
    "network-detach": "network-detach 13 0",
    "network-detach_no_number": "network-detach 13 eth0",
    # what this host lacks
    "serve": "serve",
    "vnet-list": "vnet-list",
    "vnet-create": "vnet-create nosuch",
    "vnet-delete": "vnet-delete 1",
    "labels": "labels",
    "addlabel": "addlabel red dom guest",
    "rmlabel": "rmlabel dom guest",
    "getlabel": "getlabel dom guest",
    "dry-run": "dry-run guest",
    "resources": "resources",
    "makepolicy": "makepolicy chwall",
    "loadpolicy": "loadpolicy chwall",
    "cfgbootpolicy": "cfgbootpolicy chwall",
    "dumppolicy": "dumppolicy",
}
CASES_3_1 = {
    "alone": "",
    "help": "help",
    "usage_with_options": "save --help",
    "list": "list",
    "list_state": "list --state=halted",
    "vcpu-list": "vcpu-list 13",
    "dmesg_clear": "dmesg --clear",
    "sched-credit": "sched-credit",
    "sched-credit_one": "sched-credit --domain=13",
    "console_managed": "console spare",
    "new": "new guest",
    "delete": "delete spare",
    "start": "start spare",
    "suspend": "suspend spare",
    "resume": "resume spare",
    "debug-keys": "debug-keys r",
    "trigger": "trigger 13 nmi",
    "shell": "shell",
    "network-attach_bad_key": "network-attach 13 colour=red",
}
RUNS = {
    **{name: (line, OLD) for name, line in CASES.items()},
    **{f"3.1_{name}": (line, NEW) for name, line in CASES_3_1.items()},
    "list_with_zombie": ("list", WITH_ZOMBIE),
    "sched-sedf": ("sched-sedf", SEDF),
    "sched-sedf_set": ("sched-sedf WinDoof -p 20 -s 5", SEDF),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return the caller's folder, which is HOME too: a configuration file and domain 0's log."""
    (tmp_path / "guest").write_text("memory = 64\n")
    log = tmp_path / "domains" / "Domain-0" / "var" / "log" / "xen" / "xend.log"
    log.parent.mkdir(parents=True)
    log.write_text("[2007-05-09 00:00:00 xend 2873] INFO (SrvDaemon:283) Xend Daemon started\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("builtins.input", _no_input)
    return tmp_path


def _no_input(prompt: str) -> str:
    raise EOFError


@pytest.mark.parametrize("name", RUNS)
def test_output_is_as_recorded(name, here, monkeypatch, capsys, update_golden):
    line, host = RUNS[name]
    client = FakeClient(here, hosts=[host], **ANSWERS)
    monkeypatch.setattr("xenprof.cli.xm.program.Client", lambda home: client)
    code = main(shlex.split(line))
    out, error = capsys.readouterr()
    text = f"$ xm {line}\n{out}"
    text += "".join(f"stderr: {line}\n" for line in error.splitlines())
    text = f"{text}exit {code}\n".replace(str(here), "/HERE")
    path = EXPECTED / f"{name}.txt"
    if update_golden:
        path.write_text(text)
    assert path.read_text() == text


def test_every_command_has_a_golden_file():
    used = {line.split()[0] for line, _ in RUNS.values() if line}
    assert set(names("3.1")) - used == set()


def test_every_golden_file_has_a_case():
    assert {path.name for path in EXPECTED.iterdir()} == {f"{name}.txt" for name in RUNS}
