"""Experiments made of a few lines, for the tests of running and showing them."""

from pathlib import Path

from xenprof.experiment.findings import Findings, findings
from xenprof.experiment.plan import Experiment
from xenprof.experiment.reading import load

SMALL = """
title = "Caps & weights"
shows = "What a cap takes."
talk = "Less than half."
warm_up_s = 0.02
duration_s = 0.06
seeds = 2

[scenario.host]
memory_mib = 1024

[[scenario.domain]]
name = "web"

  [[scenario.domain.workload]]
  kind = "cpu"

[[axis]]
key = "domain.web.cap"
values = [0, 50]

[[result]]
name = "ran"
unit = "%"
of = "domain.web.cpu_ns"

[[result]]
name = "of uncapped"
unit = "%"
of = "domain.web.cpu_ns"
against = 0
shown = "percent"
high = 60
only = { cap = 50 }
"""


def written(folder: Path, text: str = SMALL, name: str = "small") -> Path:
    """Write an experiment's file; return its path."""
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def loaded(folder: Path, text: str = SMALL, **options) -> Experiment:
    """Return the experiment of a text."""
    return load(str(written(folder, text)), **options)


def found_of(experiment: Experiment, values: dict[tuple[int, int], list]) -> Findings:
    """Return findings of values, by number of the variant and seed: a list for each piece."""
    runs = {
        (experiment.variants[number].digest, seed): tuple(map(tuple, pieces))
        for (number, seed), pieces in values.items()
    }
    return findings(experiment, runs)


def found_small(folder: Path) -> Findings:
    """Return findings of SMALL: 100 and 90 percent without a cap, 50 and 54 with one."""
    values = {(0, 1): [[100.0]], (0, 2): [[90.0]], (1, 1): [[50.0]], (1, 2): [[54.0]]}
    return found_of(loaded(folder), values)
