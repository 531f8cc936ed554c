"""The pre-commit hooks check what `make check` checks."""

import re

import yaml

from tests.support.paths import ROOT


def recipe(target: str) -> list[str]:
    """Return the commands of a target of the Makefile, with variables replaced."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    values = dict(re.findall(r"^(\w+) [:?]?= (.*)$", text, re.MULTILINE))
    lines = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    assert lines is not None
    filled = re.sub(r"\$\((\w+)\)", lambda match: values[match[1]], lines[1])
    return [line.strip().removeprefix("@") for line in filled.splitlines()]


def hooks() -> list[dict[str, object]]:
    """Return the hooks of all repositories in pre-commit's configuration."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    return [hook for repository in config["repos"] for hook in repository["hooks"]]


def test_the_hooks_run_what_make_check_runs():
    assert recipe("check") == [hook["entry"] for hook in hooks()]


def test_the_hooks_download_nothing_and_see_every_file():
    kinds = {(hook["language"], hook["pass_filenames"], hook["always_run"]) for hook in hooks()}

    assert kinds == {("system", False, True)}
