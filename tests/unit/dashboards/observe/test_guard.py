from dataclasses import replace
from pathlib import Path

import bcrypt
import pytest
import yaml

from dashboards.observe.configs import ALERTMANAGER_WEB, PROMETHEUS_WEB, configs
from dashboards.observe.guard import Guard, Webhook
from dashboards.observe.servers import hides_urls
from dashboards.observe.settings import CannotObserve, ObserveSettings
from tests.support.observing import SETTINGS, URL, written

GUARD = Guard.of({"ann": "$2b$04$hash"})
WEB = """
tls_server_config:
  cert_file: c.pem
  key_file: /k.pem
basic_auth_users:
  ann: $2b$04$hash
"""


@pytest.fixture
def guarded(tmp_path: Path) -> ObserveSettings:
    (tmp_path / "web.yml").write_text(WEB)
    return replace(SETTINGS, web_config=tmp_path / "web.yml")


def test_user_and_password_of_a_webhook_are_where_they_are_not_shown():
    settings = replace(SETTINGS, webhook="http://u%40:S%2FECRET@h:1/x")
    (found,) = written(settings, name="alertmanager.yml")["receivers"][0]["webhook_configs"]

    assert {
        "url": "http://h:1/x",
        "send_resolved": True,
        "http_config": {"basic_auth": {"username": "u@", "password": "S/ECRET"}},
    } == found


@pytest.mark.parametrize(
    "url", ["http://h/?token=SECRET", "http://h/#SECRET", "https://h/hooks/SECRET"]
)
def test_a_token_that_everybody_could_read_is_refused_without_telling_it(url: str):
    with pytest.raises(CannotObserve, match="OBSERVE_WEB_CONFIG=FILE") as refusal:
        Webhook.parse(url).check_shown()

    assert "SECRET" not in str(refusal.value)


@pytest.mark.parametrize("url", ["http://h", "https://u:SECRET@h:1/"])
def test_a_webhook_that_is_a_host_alone_may_be_shown(url: str):
    Webhook.parse(url).check_shown()


def test_an_alertmanager_that_hides_urls_reads_the_webhook_from_a_file():
    settings = replace(SETTINGS, webhook="https://u:p@h/hooks/SECRET")
    files = configs(settings, URL, hides_urls=True)

    assert "https://h/hooks/SECRET" == files["webhook.url"]
    assert "url_file: /state/observe/webhook.url" in files["alertmanager.yml"]
    assert "SECRET" not in files["alertmanager.yml"] + files["prometheus.yml"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("alertmanager, version 0.25.0 (branch: debian/sid)", False),
        ("alertmanager, version 0.26.0 (branch: HEAD)", True),
        ("alertmanager, version 1.0.0", True),
        ("what?", False),
    ],
)
def test_which_alertmanager_hides_urls_is_asked_of_it(tmp_path: Path, told: str, expected: bool):
    program = tmp_path / "alertmanager"
    program.write_text(f"#!/bin/sh\necho '{told}' >&2\n")
    program.chmod(0o700)

    assert expected == hides_urls(str(program))


def test_a_message_has_no_webhook_in_it():
    said = Webhook.parse("http://u:p@h/SECRET").hide('Post "http://h/SECRET": no')

    assert 'Post "(the webhook)": no' == said


def test_users_get_at_alertmanager_and_prometheus_too(guarded: ObserveSettings):
    users = yaml.safe_load(configs(guarded, URL, GUARD)[ALERTMANAGER_WEB])["basic_auth_users"]

    assert {"ann", GUARD.user} == set(users)
    assert bcrypt.checkpw(GUARD.password.encode(), users[GUARD.user].encode())


def test_prometheus_has_the_users_too_and_the_files_where_they_are(
    guarded: ObserveSettings, tmp_path: Path
):
    found = yaml.safe_load(configs(guarded, URL, GUARD)[PROMETHEUS_WEB])

    assert {
        "tls_server_config": {"cert_file": str(tmp_path / "c.pem"), "key_file": "/k.pem"},
        "basic_auth_users": GUARD.users,
    } == found


def test_prometheus_shows_alertmanager_its_password(guarded: ObserveSettings):
    found = yaml.safe_load(configs(guarded, URL, GUARD)["prometheus.yml"])
    (alertmanager,) = found["alerting"]["alertmanagers"]

    assert {"username": GUARD.user, "password": GUARD.password} == alertmanager["basic_auth"]
