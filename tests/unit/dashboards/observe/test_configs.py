from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dashboards.observe.configs import configs, lookback
from dashboards.observe.settings import Access, ObserveSettings
from dashboards.rules.rule import Pace
from tests.support.observing import SETTINGS, URL, written


def job(settings: ObserveSettings = SETTINGS, url: str = URL) -> dict[str, Any]:
    (found,) = written(settings, url)["scrape_configs"]
    return dict(found)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URL, "127.0.0.1:10031"),
        ("http://0.0.0.0:10031/", "127.0.0.1:10031"),
        ("http://[::]:10031/", "[::1]:10031"),
        ("http://[fd00::1]:10031/", "[fd00::1]:10031"),
    ],
)
def test_the_target_is_the_address_of_the_service(url: str, expected: str):
    assert [{"targets": [expected]}] == job(url=url)["static_configs"]


def test_a_service_with_tls_is_scraped_with_it():
    access = Access("me", Path("/p"), Path("/ca"), Path("/cert"), Path("/key"), "xen.example")
    found = job(replace(SETTINGS, access=access), "https://127.0.0.1:10031/")

    assert {
        "scheme": "https",
        "basic_auth": {"username": "me", "password_file": "/p"},
        "tls_config": {
            "ca_file": "/ca",
            "cert_file": "/cert",
            "key_file": "/key",
            "server_name": "xen.example",
        },
    } == {name: found[name] for name in ("scheme", "basic_auth", "tls_config")}


def test_a_service_without_tls_needs_no_access():
    assert not {"basic_auth", "tls_config"} & job().keys()


@pytest.mark.parametrize(("window_s", "expected"), [(300, "5000ms"), (5, "500ms")])
def test_scrapes_are_as_frequent_as_rates_need(window_s: int, expected: str):
    settings = replace(SETTINGS, pace=Pace(window_s))

    assert expected == written(settings)["global"]["scrape_interval"]


@pytest.mark.parametrize(("window_s", "expected"), [(300, "30000ms"), (5, "5000ms")])
def test_a_last_value_counts_for_some_scrapes(window_s: int, expected: str):
    assert expected == lookback(Pace(window_s))


def test_alerts_go_to_a_webhook_that_is_given():
    settings = replace(SETTINGS, webhook="http://127.0.0.1:1/")
    found = written(settings, name="alertmanager.yml")

    assert [{"url": "http://127.0.0.1:1/", "send_resolved": True}] == found["receivers"][0][
        "webhook_configs"
    ]


def test_the_rules_are_those_of_the_pace():
    text = configs(replace(SETTINGS, pace=Pace(10)), URL)["rules/xenprof-recordings.yml"]

    assert "[10s]" in text and "[5m]" not in text


@pytest.mark.parametrize(
    ("home", "expected"),
    [("/a[b]\nc", "/a\\[b]\nc"), ("/a?\\", "/a\\?\\\\"), ("/a*b", "/a?b"), ("/a: 'b", "/a: 'b")],
)
def test_rules_are_found_whatever_the_folder_is_called(home: str, expected: str):
    settings = replace(SETTINGS, home=Path(home))

    assert [f"{expected}/observe/rules/*.yml"] == written(settings)["rule_files"]


def test_alerts_lead_to_runbooks_where_they_are_served():
    text = configs(replace(SETTINGS, runbooks="https://wiki/x"), URL)["rules/xenprof-alerts.yml"]

    assert "runbook_url: https://wiki/x#xendomainstarved" in text
