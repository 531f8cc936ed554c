import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.rules import __main__ as writer
from dashboards.rules.__main__ import GENERATED
from dashboards.rules.files import rule_files
from dashboards.rules.rule import Pace, duration
from dashboards.rules.table import ALERTS

NEEDED = {"summary", "meaning", "cause", "command", "runbook_url"}


def alerts(text: str) -> dict[str, dict[str, Any]]:
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    return {rule["alert"]: rule for rule in rules}


def test_the_generated_files_are_current():
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in GENERATED.iterdir()}

    assert rule_files() == on_disk, "run: python -m dashboards.rules"


def test_every_alert_says_what_who_is_called_needs():
    written = alerts(rule_files()["xenprof-alerts.yml"])

    assert {alert.name: NEEDED for alert in ALERTS} == {
        name: set(rule["annotations"]) for name, rule in written.items()
    }


def test_labels_are_filled_in_by_prometheus():
    noisy = alerts(rule_files()["xenprof-alerts.yml"])["XenNoisyNeighbour"]

    assert "xm sched-credit -d {{ $labels.domain }}" == noisy["annotations"]["command"]


def test_a_value_is_written_in_its_unit():
    lost = alerts(rule_files()["xenprof-alerts.yml"])["XenprofSamplesLost"]

    assert lost["annotations"]["summary"].startswith("{{ $value | humanizePercentage }} of")


def test_runbooks_can_be_elsewhere():
    written = rule_files(runbooks="https://example.org/xen")["xenprof-alerts.yml"]

    assert (
        "https://example.org/xen#xendomainstarved"
        == alerts(written)["XenDomainStarved"]["annotations"]["runbook_url"]
    )


def test_a_quicker_pace_shortens_every_time():
    text = "".join(rule_files(Pace(window_s=10)).values())

    assert {"[10s]", "[30s]"} == set(re.findall(r"\[\w+\]", text))
    assert "offset 30s" in text
    assert {"0s", "2s", "4s", "10s", "20s", "30s", "40s", "1m"} >= set(
        re.findall(r"for: (\w+)", text)
    )


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_what_an_alert_says_holds_at_every_pace(alert):
    said = " ".join([alert.summary, alert.meaning, alert.cause])

    assert re.findall(r"\w+ (?:minutes?|hours?)\b", said) == []


def test_records_have_the_same_names_at_every_pace():
    def records(pace: Pace) -> list[str]:
        return re.findall(r"xen:[\w:]+", "".join(rule_files(pace).values()))

    assert records(Pace()) == records(Pace(window_s=20))


@pytest.mark.parametrize(("seconds", "expected"), [(0, "0s"), (90, "90s"), (1800, "30m")])
def test_durations_are_written_as_prometheus_reads_them(seconds: int, expected: str):
    assert expected == duration(seconds)


def test_the_writer_is_told_where_runbooks_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writer, "GENERATED", tmp_path)
    writer.main(["--runbooks", "https://example.org/xen"])
    written = alerts((tmp_path / "xenprof-alerts.yml").read_text(encoding="utf-8"))

    assert {f"https://example.org/xen#{alert.anchor}" for alert in ALERTS} == {
        rule["annotations"]["runbook_url"] for rule in written.values()
    }
