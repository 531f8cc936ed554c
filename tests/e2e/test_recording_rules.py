"""Prometheus' own promtool computes the records from series whose figures are known."""

from pathlib import Path

import pytest
import yaml

from dashboards.rules.files import rule_files
from tests.support.alert_cases.case import Series
from tests.support.e2e.promtool import promtool

pytestmark = pytest.mark.peer

CPI = "xen:domain_cycles_per_instruction:ratio_rate5m"
MISSES = "xen:domain_cache_misses_per_kilo_instruction:rate5m"


def sampled(**values: str) -> Series:
    """Return what was sampled of a domain by what it measures, as promtool writes values."""
    labels = 'host="h",domain="web",mode="user",event="E",measures'
    return {f'xen_profile_events_total{{{labels}="{name}"}}': one for name, one in values.items()}


def wrong(folder: Path, record: str, series: Series, expected: float | None) -> str:
    """Return what promtool has against this value of a record after 40 minutes."""
    for name, text in rule_files().items():
        (folder / name).write_text(text, encoding="utf-8")
    labels = f'{record}{{host="h",domain="web"}}'
    samples = [] if expected is None else [{"labels": labels, "value": expected}]
    test = {
        "interval": "5s",
        "input_series": [{"series": name, "values": one} for name, one in series.items()],
        "promql_expr_test": [{"expr": record, "eval_time": "40m", "exp_samples": samples}],
    }
    path = folder / "test.yml"
    rules = {"rule_files": ["xenprof-recordings.yml"], "evaluation_interval": "5s"}
    path.write_text(yaml.safe_dump({**rules, "tests": [test]}), encoding="utf-8")
    return promtool("test", "rules", path)


@pytest.mark.parametrize(
    ("cycles", "instructions"),
    [
        pytest.param("0+312x480", "0+200x480", id="all the time"),
        pytest.param("0x460 0+312x20", "0x460 0+200x20", id="for a short time"),
        pytest.param("0+312x240 74880+312x240", "_x240 0+200x240", id="for the last 20 minutes"),
    ],
)
def test_cycles_per_instruction_are_those_of_a_session_with_both(
    tmp_path: Path, cycles: str, instructions: str
):
    series = sampled(cycles=cycles, instructions=instructions)

    assert wrong(tmp_path, CPI, series, 1.56) == ""


@pytest.mark.parametrize(
    ("cycles", "instructions"),
    [
        pytest.param("0+312x480", "0x450 0+200x30", id="cycles alone before"),
        pytest.param("0x450 0+312x30", "0+200x480", id="instructions alone before"),
        pytest.param("0+312x480", "0+200x450 90000x30", id="cycles alone after"),
        pytest.param("0+312x480", "90000x480", id="never together"),
    ],
)
def test_there_is_no_ratio_where_one_was_sampled_alone(
    tmp_path: Path, cycles: str, instructions: str
):
    series = sampled(cycles=cycles, instructions=instructions)

    assert wrong(tmp_path, CPI, series, None) == ""


@pytest.mark.parametrize(
    ("misses", "expected"), [("0+2x480", 10), ("0x450 0+2x30", None)], ids=["both", "one alone"]
)
def test_cache_misses_are_those_of_a_session_with_both(
    tmp_path: Path, misses: str, expected: float | None
):
    series = sampled(cache_misses=misses, instructions="0+200x480")

    assert wrong(tmp_path, MISSES, series, expected) == ""
