"""Writes the files of rules and the runbooks (`python -m dashboards.rules`)."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from dashboards.rules.files import RUNBOOKS, rule_files
from dashboards.rules.runbooks import markdown

PROJECT = Path(__file__).parents[2]
GENERATED = Path(__file__).parents[1] / "generated" / "rules"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write them all, where they belong in a checkout."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.rules")
    parser.add_argument("--runbooks", default=RUNBOOKS, metavar="URL", help="where they are served")
    chosen = parser.parse_args(arguments)
    GENERATED.mkdir(parents=True, exist_ok=True)
    for name, text in rule_files(runbooks=chosen.runbooks).items():
        (GENERATED / name).write_text(text, encoding="utf-8")
    (PROJECT / RUNBOOKS).write_text(markdown(), encoding="utf-8")


if __name__ == "__main__":
    main()
