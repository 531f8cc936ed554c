"""The output of virsh and xenstore-ls for the host of the talk."""

from pathlib import Path

import pytest

from tests.support.virsh_guests import virsh_client
from xenprof.cli.virsh import main
from xenprof.cli.xenstore import ls_main

EXPECTED = Path(__file__).parent / "expected"
COMMANDS = (
    ("list", ""),
    ("list-all", "list --all"),
    ("list-inactive", "list --inactive"),
    ("dominfo-domain0", "dominfo 0"),
    ("dominfo-pv", "dominfo DesktopVM"),
    ("dominfo-hvm", "dominfo 3"),
    ("domid", "domid ossvm02"),
    ("domname", "domname 13"),
    ("domuuid", "domuuid 5"),
    ("domstate", "domstate WinDoof"),
    ("dumpxml-domain0", "dumpxml Domain-0"),
    ("dumpxml-pv", "dumpxml DesktopVM"),
    ("dumpxml-hvm", "dumpxml 3"),
    ("vcpuinfo-domain0", "vcpuinfo 0"),
    ("vcpuinfo-partly-online", "vcpuinfo ossvm02"),
    ("vcpupin", "vcpupin 5 0 0,1"),
    ("setvcpus", "setvcpus 5 1"),
    ("setmem", "setmem 5 262144"),
    ("setmaxmem", "setmaxmem 5 262144"),
    ("suspend", "suspend 5"),
    ("resume", "resume 5"),
    ("shutdown", "shutdown 5"),
    ("reboot", "reboot 5"),
    ("destroy", "destroy 5"),
    ("save", "save 5 /x/desktop.save"),
    ("restore", "restore /x/desktop.save"),
    ("dump", "dump 5 /x/desktop.core"),
    ("nodeinfo", "nodeinfo"),
    ("version", "version"),
    ("connect", "connect"),
    ("quit", "quit"),
    ("help", "help"),
    ("help-list", "help list"),
    ("help-save", "help save"),
    ("usage", "--help"),
    ("program-version", "--version"),
)


def compare(name: str, printed: str, update: bool) -> None:
    path = EXPECTED / f"{name}.txt"
    if update:
        path.write_text(printed, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == printed


@pytest.mark.parametrize(("name", "line"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_virsh_prints_as_recorded(name, line, update_golden, monkeypatch, capsys):
    monkeypatch.delenv("VIRSH_DEFAULT_CONNECT_URI", raising=False)
    monkeypatch.setattr("xenprof.cli.virsh.program.Client", lambda home: virsh_client())

    code = main((line or name).split())

    printed = capsys.readouterr()
    assert (0, "") == (code, printed.err)
    compare(name, printed.out, update_golden)


@pytest.mark.parametrize(
    ("name", "words"),
    [("xenstore-ls", []), ("xenstore-ls-f", ["-f"]), ("xenstore-ls-path", ["/local/domain/5"])],
)
def test_xenstore_ls_prints_as_recorded(name, words, update_golden, monkeypatch, capsys):
    monkeypatch.setattr("xenprof.cli.xenstore.Client", lambda home: virsh_client())

    assert 0 == ls_main(words)
    compare(name, capsys.readouterr().out, update_golden)
