"""A service on a host that lacks some capabilities: it names what it lacks."""

import json
import logging

import pytest

from exporters.prometheus import create
from hypervisor.errors import MissingCapability
from tests.support.fake_host import host_without
from tests.support.service_fakes import ask_now
from xenprof.history.figures import HistorySettings
from xenprof.service.app import create_app
from xenprof.service.commands import HOST_COMMANDS, OPCONTROL_COMMANDS
from xenprof.service.domain_commands import DOMAIN_COMMANDS
from xenprof.service.exporter import ExporterSettings
from xenprof.service.service import Service

DOMAIN = "/api/v1/domains/web/"
READS = {
    "toolstack": [
        *(f"/api/v1/{name}" for name in ("dmesg", "xenstore")),
        *(DOMAIN + name for name in ("sched-credit", "sched-sedf", "sxp", "console", "proc")),
        DOMAIN + "proc/stat",
        DOMAIN + "devices/vbd",
    ],
    "profiler": [DOMAIN + "oprofilefs/cpu_type"],
    "tracer": ["/api/v1/trace"],
}
CHANGES = {
    "toolstack": [
        *("/api/v1/" + name for name in ("domains", "managed", "restore", "dmesg/clear")),
        "/api/v1/debug-keys",
        *(DOMAIN + name for name in DOMAIN_COMMANDS),
    ],
    "profiler": [DOMAIN + name.replace(" ", "/") for name in OPCONTROL_COMMANDS],
    "tracer": ["/api/v1/trace/start", "/api/v1/trace/1/read", "/api/v1/trace/1/stop"],
}
REFUSALS = {
    "toolstack": "xenprof only watches this host: its own toolstack manages its domains",
    "profiler": "xenprof only watches this host; to profile it, type in its domain 0: "
    "xenprof record, or python3 xenprof-agent.pyz contexts FILE",
    "tracer": "xenprof only watches this host; to trace it, type in its domain 0: "
    "python3 xenprof-agent.pyz trace FILE",
}
NOT_TOLD = {"toolstack": "xenprof only watches this host: its own toolstack tells what is asked"}
"""How reads are refused, where that is another text."""


def serving(home, *missing):
    """Return an application on a host without these capabilities, and its started service."""
    has_profiler = "profiler" not in missing
    service = Service(
        host_without(*missing),
        home,
        loaders={"prometheus": lambda: create},
        settings=ExporterSettings(),
        history=HistorySettings(period_ns=10**12) if has_profiler else None,
    )
    service.start()
    return create_app(service, read_only=False), service


@pytest.fixture(params=REFUSALS)
def lacking(request, tmp_path):
    """Yield an application on a host that lacks one capability, and its name."""
    app, service = serving(tmp_path, request.param)
    yield app, request.param
    service.close()


@pytest.fixture
def watching(tmp_path):
    app, service = serving(tmp_path, *REFUSALS)
    yield app
    service.close()


def ask(app, method, path):
    status, _, body = ask_now(app, method, path, {})
    return status, body.decode()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/metrics", 'domain="Domain-0",'),
        ("/api/v1/snapshot", '"name": "Domain-0"'),
        ("/", "<html"),
        ("/-/healthy", "healthy"),
        ("/-/ready", "ready"),
        ("/api/v1/history", '"enabled":false'),
        ("/api/v1/info", '"xen_version":"3.0.3"'),
        ("/api/v1/hosts", '{"hosts":[{"name":"fake","is_up":true,"domains":5}]}'),
    ],
)
def test_telemetry_alone_is_enough_to_be_watched(watching, path, text):
    status, body = ask(watching, "GET", path)

    assert (status, text in body) == (200, True)


def test_model_time_can_be_waited_for_without_any_capability(watching):
    assert ask(watching, "POST", "/api/v1/wait")[0] == 400
    assert ask_now(watching, "POST", "/api/v1/wait", {"seconds": 0})[0] == 200


def refusal(message):
    """Return the answer that refuses with a message."""
    error = {"type": "MissingCapability", "message": message, "exit_code": 1}
    return 501, json.dumps({"error": error}, separators=(",", ":")) + "\n"


def test_managed_domains_are_refused_as_a_command_is(tmp_path):
    app, service = serving(tmp_path, "toolstack")
    answer = ask(app, "GET", "/api/v1/managed")
    service.close()

    assert answer == refusal(REFUSALS["toolstack"])


def test_every_read_and_every_command_names_what_is_missing(lacking):
    app, capability = lacking

    assert {ask(app, "GET", path) for path in READS[capability]} == {
        refusal(NOT_TOLD.get(capability, REFUSALS[capability]))
    }
    assert {ask(app, "POST", path) for path in CHANGES[capability]} == {
        refusal(REFUSALS[capability])
    }


def test_what_another_capability_does_goes_on(lacking):
    app, capability = lacking
    works = {
        "toolstack": ("GET", "/api/v1/dmesg"),
        "profiler": ("POST", f"{DOMAIN}opcontrol/status".replace("web", "0")),
        "tracer": ("GET", "/api/v1/trace"),
    }
    statuses = {name: ask(app, *request)[0] for name, request in works.items()}

    assert statuses == {name: 501 if name == capability else 200 for name in works}


def test_every_command_of_the_table_belongs_to_a_capability_that_is_tried_here():
    tried = {path.removeprefix(DOMAIN) for paths in CHANGES.values() for path in paths}

    named = {name.replace(" ", "/") for name in (*DOMAIN_COMMANDS, *OPCONTROL_COMMANDS)}
    assert named <= tried
    assert len(HOST_COMMANDS) == len([path for path in tried if path.startswith("/api/v1/")]) - 3


def test_a_command_that_nobody_knows_is_still_unknown(watching):
    assert ask(watching, "POST", f"{DOMAIN}opcontrol/explode")[0] == 404


def test_a_service_without_a_profiler_ends_quietly(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        _, service = serving(tmp_path, "profiler")
        service.close()

    assert caplog.messages == []


def test_a_history_of_a_host_without_a_profiler_is_refused(tmp_path):
    with pytest.raises(MissingCapability, match=REFUSALS["profiler"]):
        Service(
            host_without("profiler"),
            tmp_path,
            loaders={},
            settings=ExporterSettings(),
            history=HistorySettings(),
        )
