"""xentop -b of a host with a newer Xen, byte for byte as xentop 4.17 has printed it."""

from pathlib import Path

import pytest

from tests.support.talk_host import FakeClient
from tests.support.xentop_recording import hosts
from xenprof.cli import xentop

RECORDED = Path(__file__).parent / "recorded"
OPTIONS = {
    "b": (),
    "b-3-spinners": (),
    "b-full": ("--full-name",),
    "b-n": ("-n",),
    "b-nxv": ("-n", "-x", "-v"),
    "b-r": ("-r",),
    "b-v": ("-v",),
    "b-x": ("-x",),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_tables_are_those_that_were_recorded(name, monkeypatch, capsys):
    text = (RECORDED / f"xentop-{name}.txt").read_text(encoding="utf-8").rstrip("\n") + "\n"
    seen = hosts(text)
    monkeypatch.setattr(xentop, "Client", lambda home: FakeClient(hosts=list(seen)))

    xentop.main(["-b", "-i", str(len(seen)), "-d", "1", *OPTIONS[name]])

    assert text == capsys.readouterr().out


def test_the_help_is_the_recorded_one_but_for_the_path_and_where_bugs_go(capsys):
    *lines, _, _ = (RECORDED / "xentop-h.txt").read_text(encoding="utf-8").splitlines()

    xentop.main(["-h"])

    assert ["Usage: xentop [OPTION]", *lines[1:]] == capsys.readouterr().out.splitlines()
