"""A stranger watches the scenario `noisy`: its alert arrives, and goes when the cause has gone.

Prometheus and Alertmanager are real, and started as `make observe` starts them.
"""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator

import pytest

from dashboards.observe.servers import PROGRAMS
from tests.support.e2e.host import Host
from tests.support.e2e.observed import Observed
from tests.support.e2e.peers import answers, peer, until
from tests.support.receiver import Receiver

pytestmark = [pytest.mark.peer, pytest.mark.slow]

CULPRIT = ("XenNoisyNeighbour", "batch")
VICTIM = ("XenDomainStarved", "web")


@pytest.fixture(scope="module")
def webhook() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def observed(webhook: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    for names in PROGRAMS.values():
        peer(next(filter(None, map(shutil.which, names)), None), f"{names[0]} (Debian package)")
    host = Host(tmp_path_factory.mktemp("home"), "--scenario", "noisy")
    observed = Observed.on_free_ports(host, WINDOW="5s", WEBHOOK=webhook.url)
    try:
        started = observed.run("up")
        assert started.returncode == 0, started.stderr
        yield observed
    finally:
        observed.run("down")
        host.close()


@pytest.fixture(scope="module")
def alarmed(observed: Observed) -> Observed:
    """Return the servers when the alerts of the scenario have arrived."""
    assert patiently(lambda: {CULPRIT, VICTIM} <= observed.alerts().keys())
    return observed


def patiently(ask: Callable[[], bool]) -> bool:
    """Return whether it is so within a minute."""
    return until(ask) or until(ask)


def told(webhook: Receiver, status: str) -> set[str]:
    """Return the names of alerts of which the webhook was told that they fire or are resolved."""
    with webhook.changed:
        bodies = [json.loads(one.body) for one in webhook.got]
    return {
        alert["labels"]["alertname"]
        for body in bodies
        for alert in body["alerts"]
        if alert["status"] == status
    }


def test_every_rule_can_be_evaluated(alarmed: Observed):
    failed = {rule["name"]: rule.get("lastError") for rule in alarmed.rules()}

    assert {name: error for name, error in failed.items() if error} == {}


def test_the_alert_names_the_culprit_and_who_waits(alarmed: Observed):
    summary = alarmed.alerts()[CULPRIT]["annotations"]["summary"]

    assert summary.startswith("batch on noisy keeps 1.")
    assert "others wait: web " in summary


def test_the_command_of_the_alert_shows_the_cause(alarmed: Observed):
    command = alarmed.alerts()[CULPRIT]["annotations"]["command"]

    assert "{'cap': 0, 'weight': 8192}\n" == alarmed.host.run(command).stdout


def test_both_listen_on_the_loopback_only(alarmed: Observed):
    with open("/proc/net/tcp", encoding="ascii") as table:  # noqa: PTH123
        listening = {row.split()[1] for row in table if row.split()[3] == "0A"}
    ours = {f"{port:04X}" for port in (alarmed.prometheus_port, alarmed.alertmanager_port)}

    assert {f"0100007F:{port}" for port in ours} == {
        one for one in listening if one.partition(":")[2] in ours
    }


def test_once_more_changes_nothing(alarmed: Observed):
    before = [alarmed.pid(name) for name in PROGRAMS]
    again = alarmed.run("up")

    assert (0, before) == (again.returncode, [alarmed.pid(name) for name in PROGRAMS])


def test_a_port_that_is_taken_is_told_and_changes_nothing(alarmed: Observed):
    before = alarmed.config("prometheus")
    taken = int(alarmed.host.url.rpartition(":")[2].rstrip("/"))
    other = Observed(alarmed.host, taken, alarmed.alertmanager_port, {})
    refused = other.run("up")

    assert refused.returncode == 1
    assert "choose another port: OBSERVE_PROMETHEUS_PORT=" in refused.stderr
    assert before == alarmed.config("prometheus") and answers(alarmed.prometheus_port)


def test_a_configuration_that_is_refused_is_no_success(alarmed: Observed):
    broken = alarmed.host.home / "observe" / "rules" / "broken.yml"
    broken.write_text("groups: 5\n")
    refused = alarmed.run("up")
    broken.unlink()

    assert refused.returncode == 1
    assert "Prometheus refuses its configuration and goes on with that before" in refused.stderr
    assert alarmed.run("up").returncode == 0


def test_the_alert_is_resolved_when_the_cause_has_gone(alarmed: Observed, webhook: Receiver):
    """Prometheus reads its configuration again as the cause goes: what it tells then is lost."""
    assert patiently(lambda: CULPRIT[0] in told(webhook, "firing"))
    alarmed.host.run("xm sched-credit -d batch -w 256")

    def is_over_while_it_reads() -> bool:
        os.kill(alarmed.pid("prometheus"), signal.SIGHUP)
        return not any(rule.get("alerts") for rule in alarmed.rules() if rule["name"] == CULPRIT[0])

    assert patiently(is_over_while_it_reads)
    assert patiently(lambda: CULPRIT[0] in told(webhook, "resolved"))


def test_it_works_again_after_a_kill(alarmed: Observed):
    os.kill(alarmed.pid("prometheus"), signal.SIGKILL)
    until(lambda: not answers(alarmed.prometheus_port))
    again = alarmed.run("up")

    assert (0, True) == (again.returncode, answers(alarmed.prometheus_port)), again.stderr


def test_down_ends_both(alarmed: Observed):
    ended = alarmed.run("down")

    assert ended.stdout == "observe: ended prometheus and alertmanager\n"
    assert not answers(alarmed.prometheus_port) and not answers(alarmed.alertmanager_port)
