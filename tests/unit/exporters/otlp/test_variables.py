"""The table of variables is complete, true, and the one in the documentation."""

import os
import re
import subprocess
import sys

import opentelemetry.environment_variables as api_variables
import opentelemetry.sdk.environment_variables as sdk_variables
import pytest

from exporters.otlp.variables import IGNORED, VARIABLES
from tests.support.paths import ROOT

NAMES = [name for variable in VARIABLES for name in variable.names]


def known_to_the_sdk() -> set[str]:
    return {
        value
        for module in (api_variables, sdk_variables)
        for value in vars(module).values()
        if isinstance(value, str) and value.startswith("OTEL_")
    }


def test_every_variable_of_the_sdk_is_in_the_table_once():
    assert (known_to_the_sdk() - set(NAMES), len(NAMES)) == (set(), len(set(NAMES)))


def test_the_table_makes_up_no_variables():
    assert set(NAMES) <= known_to_the_sdk()


def test_the_documentation_has_the_table():
    text = (ROOT / "docs" / "opentelemetry.md").read_text(encoding="utf-8")
    missing = [row for one in VARIABLES if (row := f"| `{one.name}` | {one.effect} |") not in text]
    assert missing == []


def test_the_documentation_has_no_other_variables():
    text = (ROOT / "docs" / "opentelemetry.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(OTEL_[^`]*)` \|", text, re.MULTILINE)) == {
        one.name for one in VARIABLES
    }


# In a process of its own: the SDK reads variables as it is imported.
EXPORT = """
from exporters.otlp import create
from tests.support.otlp_receivers import http_receiver
from tests.support.snapshots import FixedSource
from xenprof.service.exporter import ExporterSettings

with http_receiver() as receiver:
    exporter = create(FixedSource(), ExporterSettings(receiver.url))
    exporter.start()
    exporter.close()
    print(sorted({got.path for got in receiver.got}))
"""


@pytest.mark.parametrize("value", ["abc", "-1", "1e300"])
def test_what_is_ignored_has_no_effect_whatever_its_value(value: str):
    run = subprocess.run(
        [sys.executable, "-c", EXPORT],
        env={**os.environ, "PYTHONPATH": str(ROOT), **dict.fromkeys(IGNORED, value)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.stdout, run.stderr) == ("['/v1/metrics']\n", "")
