"""Samples that are lost: none with the sizes chosen for call stacks, and told everywhere."""

import json

import pytest

from xenprof.cli.main import main
from xenprof.home import domain_root
from xenprof.store.unseen import read_unseen


def run(home, *options):
    """Profile the usual scenario with one passive domain; return Xen's counters."""
    arguments = ["run", "--scenario", "grumble", "--state-dir", str(home), "--json",
                 "--active", "0,1", "--passive", "2", *options]  # fmt: skip
    assert main(arguments) == 0


def unseen(home, name):
    return dict(read_unseen(domain_root(home, name) / "var/lib/oprofile/samples/current"))


@pytest.mark.parametrize("depth", ["1", "16", "40"])
def test_the_usual_scenario_loses_nothing_with_stacks(tmp_path, capsys, depth):
    run(tmp_path, "--for", "5s", "--profile", "GLOBAL_POWER_EVENTS:100000", "--callgraph", depth)
    counters = json.loads(capsys.readouterr().out)["xenoprof"]
    lost = {name: unseen(tmp_path, name)["lost_samples"] for name in ("Domain-0", "DesktopVM")}

    assert counters["lost"] == 0 < counters["passive"]
    assert lost == {"Domain-0": "0", "DesktopVM": "0"}
