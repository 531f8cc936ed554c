"""Guests sampled by their registers on a real Xen."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.importing import by_symbol, imported, profile, run
from tests.support.realxen.machine import Machine
from tests.support.realxen.outside import FILE, OutsideAgent
from xenprof.cli.main import main
from xenprof.profile.stacks import Layer

GUESTS = ("web", "db", "batch")


class Sampled(NamedTuple):
    """Archives of guests, and what was told while they were sampled."""

    told: str
    archives: Path


@pytest.fixture(scope="module")
def sampled(busy: Machine, agent: OutsideAgent, tmp_path_factory) -> Sampled:
    told = busy.run(f"python3 -I {FILE} contexts /tmp/guests.contexts 2>&1")
    folder = tmp_path_factory.mktemp("contexts")
    file = folder / "guests.contexts"
    file.write_bytes(busy.get("/tmp/guests.contexts"))
    imported("contexts", file, folder / "archives")
    return Sampled(told, folder / "archives")


def test_guests_that_compute_are_profiled(sampled: Sampled):
    found = by_symbol(profile(sampled.archives))
    samples = {
        name: sum(count for key, count in found.items() if key[0] == name) for name in GUESTS
    }

    assert "each sample pauses a vcpu for a moment, which disturbs scheduling" in sampled.told
    assert all(samples.values())
    assert samples["batch"] < samples["db"]
    assert {str(Layer.USER), str(Layer.KERNEL)} >= {key[1] for key in found}


def test_they_become_a_flame_graph(sampled: Sampled, tmp_path: Path):
    page = tmp_path / "flame.html"
    code, _, told = run(
        main, "report", "--session", sampled.archives, "--format", "flamegraph.html", "-o", page
    )  # fmt: skip

    assert (0, "") == (code, told)
    assert all(name in page.read_text() for name in GUESTS)
