"""Writes the charts of the talk (`python -m xenprof.experiment.document FOLDER RUNS`).

FOLDER gets README.md, and a picture for each built-in experiment. RUNS keeps the runs that are
done, so that whoever ends it can go on.
"""

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from xenprof.experiment.cluster.local import local
from xenprof.experiment.errors import RunFailed
from xenprof.experiment.findings import Findings, findings
from xenprof.experiment.identity import identity
from xenprof.experiment.outputs.chart import as_svg
from xenprof.experiment.reading import BUILT_IN, load, names
from xenprof.experiment.record import Record
from xenprof.experiment.running import missing, run_all
from xenprof.experiment.words import headline, verdicts

_HEAD: Final = """# The charts of the talk, as the model draws them

Written by `make charts`: every built-in experiment as `xenprof experiment NAME` runs it, by the
model with the digest `{model}`. That takes minutes of two processors, so a test asks for
it when an experiment has changed, and nobody when the model has; then the figures here are those
of the model that is named. Figures are means of the seeds, and in parentheses the least and the
largest. What the talk says is what its text tells: the values of its charts are not known.
"""


def digest(name: str) -> str:
    """Return what tells the files of a built-in experiment apart."""
    return hashlib.sha256((BUILT_IN / f"{name}.toml").read_bytes()).hexdigest()[:16]


def document(found: Sequence[Findings]) -> str:
    """Return the document of what the experiments have given."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Sequence[Findings]) -> Iterator[str]:
    yield _HEAD.format(model=identity())
    for one in found:
        experiment = one.experiment
        texts = experiment.texts
        yield f"## {texts.title}"
        yield ""
        yield f"`xenprof experiment {experiment.name}`; slide: {texts.slide}."
        yield ""
        yield f"**{headline(one)}**"
        yield ""
        told = " ".join(verdicts(one)) or "It has no bound for this."
        yield f"The talk: {texts.talk} {told}"
        yield ""
        yield f"![{texts.title}: {texts.shows}]({experiment.name}.svg)"
        yield ""
        yield f"<!-- {experiment.name}.toml {digest(experiment.name)} -->"
        yield ""


def run(name: str, folder: Path) -> Findings:
    """Run a built-in experiment as it is; return what it gives. Raises: RunFailed.

    `folder` keeps its runs.
    """
    experiment = load(name)
    folder.mkdir(parents=True, exist_ok=True)
    with Record(folder, experiment) as record:
        if missing(experiment, record):
            with local(len(os.sched_getaffinity(0))) as client:
                if refused := run_all(experiment, record, client):
                    raise RunFailed("; ".join(refused))
        return findings(experiment, record.runs)


def main(folder: str, runs: str) -> int:
    """Write the document and its pictures."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    found = []
    for name in names():
        found.append(run(name, Path(runs, name)))
        (place / f"{name}.svg").write_text(as_svg(found[-1]), "utf-8")
    (place / "README.md").write_text(document(found).rstrip("\n") + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
