"""The table of variables is complete, true, and the one in the documentation."""

import re

import opentelemetry.environment_variables as api_variables
import opentelemetry.sdk.environment_variables as sdk_variables

from exporters.otlp.variables import VARIABLES
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
