"""Prometheus' own promtool computes the records from series whose figures are known."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from dashboards.rules.files import rule_files
from tests.support.alert_cases.case import Series
from tests.support.e2e.promtool import promtool

pytestmark = pytest.mark.peer

BUSY = "xen:host_busy:ratio_rate5m"
CPI = "xen:domain_cycles_per_instruction:ratio_rate5m"
SATISFIED = "xen:domain_satisfied:ratio_rate5m"
MISSES = "xen:domain_cache_misses_per_kilo_instruction:rate5m"


def sampled(**values: str) -> Series:
    """Return what was sampled of a domain by what it measures, as promtool writes values."""
    labels = 'host="h",domain="web",mode="user",event="E",measures'
    return {f'xen_profile_events_total{{{labels}="{name}"}}': one for name, one in values.items()}


def host(idle: str, uptime: str, instances: Sequence[str] = ("a:1",)) -> Series:
    """Return what a host of two processors tells of its time to each that scrapes it."""
    return {
        series % one: values
        for one in instances
        for series, values in {
            'xen_host_info{instance="%s",host="h"}': re.sub(r"\d+\+\d+x", "1x", uptime),
            'xen_host_uptime_seconds_total{instance="%s",host="h"}': uptime,
            'xen_pcpu_seconds_total{instance="%s",host="h",cpu="0",mode="idle"}': idle,
            'xen_pcpu_seconds_total{instance="%s",host="h",cpu="1",mode="idle"}': idle,
        }.items()
    }


def wrong(
    folder: Path, record: str, series: Series, expected: float | None, domain: str | None = "web"
) -> str:
    """Return what promtool has against this value of a record after 40 minutes."""
    for name, text in rule_files().items():
        (folder / name).write_text(text, encoding="utf-8")
    of_domain = f',domain="{domain}"' if domain else ""
    labels = f'{{host="h"{of_domain}}}'
    samples = [] if expected is None else [{"labels": labels, "value": expected}]
    test = {
        "interval": "5s",
        "input_series": [{"series": name, "values": one} for name, one in series.items()],
        "promql_expr_test": [
            {"expr": f"round({record}, 0.01)", "eval_time": "40m", "exp_samples": samples}
        ],
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


@pytest.mark.parametrize(
    ("idle", "uptime"),
    [
        pytest.param("500+4x480", "1000+5x480", id="all the time"),
        pytest.param("_x460 500+4x20", "_x460 1000+5x20", id="seen for the first time"),
        pytest.param(
            "500+4x240 stale _x219 2344+4x19",
            "1000+5x240 stale _x219 3305+5x19",
            id="after an outage",
        ),
        pytest.param("500+4x460 0+4x20", "1000+5x460 0+5x20", id="after it has booted"),
        pytest.param("500+8x480", "1000+10x480", id="a model at twice the speed"),
    ],
)
def test_a_host_is_as_busy_as_it_was_while_it_was_read(tmp_path: Path, idle: str, uptime: str):
    assert wrong(tmp_path, BUSY, host(idle, uptime), 0.2, domain=None) == ""


def test_a_host_that_is_scraped_twice_is_not_busier(tmp_path: Path):
    series = host("500+4x480", "1000+5x480", ("a:1", "b:1"))

    assert wrong(tmp_path, BUSY, series, 0.2, domain=None) == ""


def test_a_host_that_does_not_answer_is_not_busy(tmp_path: Path):
    series = host("500+4x400 stale", "1000+5x400 stale")

    assert wrong(tmp_path, BUSY, series, None, domain=None) == ""


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param({"running": "0+2x480", "runnable": "0+3x480"}, 0.4, id="waits"),
        pytest.param({"running": "0+2x480", "runnable": "0x480"}, 1, id="never waits"),
        pytest.param({"running": "0+2x480"}, None, id="waits are unknown"),
    ],
)
def test_a_domain_is_satisfied_by_what_it_gets_of_what_it_wants(
    tmp_path: Path, seconds: dict[str, str], expected: float | None
):
    labels = 'host="h",domain="web",vcpu="0",state'
    series = {
        f'xen_vcpu_state_seconds_total{{{labels}="{state}"}}': values
        for state, values in seconds.items()
    }

    assert wrong(tmp_path, SATISFIED, series, expected) == ""
