from dataclasses import replace

import bcrypt
import pytest
import yaml

from dashboards.observe.configs import ALERTMANAGER_WEB, configs
from dashboards.observe.guard import Guard, Webhook
from dashboards.observe.settings import CannotObserve
from tests.support.observing import SETTINGS, URL, written

GUARD = Guard.of({"ann": "$2b$04$hash"})


def test_user_and_password_of_a_webhook_are_where_they_are_not_shown():
    settings = replace(SETTINGS, webhook="http://u%40:S%2FECRET@h:1/x")
    (found,) = written(settings, name="alertmanager.yml")["receivers"][0]["webhook_configs"]

    assert {
        "url": "http://h:1/x",
        "send_resolved": True,
        "http_config": {"basic_auth": {"username": "u@", "password": "S/ECRET"}},
    } == found


@pytest.mark.parametrize("url", ["http://h/x?token=SECRET", "http://h/x#SECRET"])
def test_a_token_that_everybody_could_read_is_refused_without_telling_it(url: str):
    with pytest.raises(CannotObserve, match="OBSERVE_WEB_CONFIG=FILE") as refusal:
        Webhook.parse(url).check_shown(None)

    assert "SECRET" not in str(refusal.value)


def test_behind_passwords_a_token_may_be_shown():
    Webhook.parse("http://h/x?token=SECRET").check_shown(GUARD)


def test_users_get_at_alertmanager_and_prometheus_too():
    users = yaml.safe_load(configs(SETTINGS, URL, GUARD)[ALERTMANAGER_WEB])["basic_auth_users"]

    assert {"ann", GUARD.user} == set(users)
    assert bcrypt.checkpw(GUARD.password.encode(), users[GUARD.user].encode())


def test_prometheus_shows_alertmanager_its_password():
    found = yaml.safe_load(configs(SETTINGS, URL, GUARD)["prometheus.yml"])
    (alertmanager,) = found["alerting"]["alertmanagers"]

    assert {"username": GUARD.user, "password": GUARD.password} == alertmanager["basic_auth"]
