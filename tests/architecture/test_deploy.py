"""What `deploy/` says about containers and Grafana is checked as text: there are no containers here."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.build import NAMES
from dashboards.observe.configs import configs
from dashboards.observe.settings import Access, ObserveSettings
from dashboards.rules.rule import Pace
from tests.support.paths import ROOT

DEPLOY = ROOT / "deploy"
PROVISIONING = DEPLOY / "grafana" / "provisioning"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
ADDRESS = re.compile(r"(?:listen-address|bind-addr)=(\S*)")


def loaded(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_links_of_alerts_lead_to_where_a_server_listens(name: str):
    options = dict(word.removeprefix("--").split("=", 1) for word in SERVICES[name]["command"])

    assert f"http://{options['web.listen-address']}" == options["web.external-url"]


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned_to_a_whole_version(name: str):
    assert re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+", SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_listens_on_the_loopback_interface_alone(name: str):
    service = SERVICES[name]
    addresses = [
        found[1] for word in service.get("command", ()) for found in ADDRESS.finditer(word)
    ]
    addresses += [service["environment"]["GF_SERVER_HTTP_ADDR"]] if name == "grafana" else []
    assert addresses != []
    assert {address.partition(":")[0] for address in addresses} <= {"127.0.0.1", ""}
    assert "ports" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_container_mounts_is_in_the_tree(name: str):
    volumes = [volume.split(":") for volume in SERVICES[name].get("volumes", ())]
    missing = [
        source
        for source, *_ in volumes
        if source not in COMPOSE["volumes"] and not (DEPLOY / source).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_container_mounts_of_the_tree_is_read_only(name: str):
    volumes = [volume.split(":") for volume in SERVICES[name].get("volumes", ())]
    assert [volume for volume in volumes if volume[0][0] == "." and volume[-1] != "ro"] == []


def test_alertmanager_has_the_configuration_of_observing(tmp_path: Path):
    settings = ObserveSettings(
        home=tmp_path,
        prometheus_port=9090,
        alertmanager_port=9093,
        pace=Pace(),
        metrics_path="/metrics",
        access=Access(),
    )
    observed = yaml.safe_load(configs(settings, "http://127.0.0.1:10031/")["alertmanager.yml"])

    assert observed == loaded(DEPLOY / "alertmanager.yml")


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_a_server_reads_a_configuration_that_is_mounted(name: str):
    mounted = {volume.split(":")[1] for volume in SERVICES[name]["volumes"]}
    (read,) = (
        word.partition("=")[2]
        for word in SERVICES[name]["command"]
        if word.startswith("--config.file=")
    )

    assert read in mounted


def test_grafana_asks_those_who_are_there():
    asked = {
        source["url"].removeprefix("http://")
        for path in (PROVISIONING / "datasources").glob("*.yml")
        for source in loaded(path)["datasources"]
    }
    commands = " ".join(word for one in SERVICES.values() for word in one.get("command", ()))
    assert "127.0.0.1:9090" in commands
    assert asked == {"127.0.0.1:9090", "127.0.0.1:4040"}


def test_data_sources_have_identifiers_of_their_own():
    uids = [
        source["uid"]
        for path in (PROVISIONING / "datasources").glob("*.yml")
        for source in loaded(path)["datasources"]
    ]
    assert sorted(uids) == ["xenprof-prometheus", "xenprof-pyroscope"]


def test_the_folder_of_dashboards_is_one_that_is_generated():
    text = (PROVISIONING / "dashboards" / "xenprof.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"dashboards/generated/(\w+)", text))
    assert named == {folder.strip("/") for folder, _ in NAMES.values()}
