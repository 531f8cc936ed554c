"""A service on a host that knows only names and running times."""

import json

import pytest

from exporters.prometheus import create
from hypervisor.errors import MissingCapability
from hypervisor.telemetry import HostSnapshot
from tests.support.fake_tracer import FakeTracer
from tests.support.service_fakes import ask_now
from tests.support.sparse_host import NAMES, SparseHost
from xenprof.service.app import create_app
from xenprof.service.exporter import ExporterSettings
from xenprof.service.service import Service
from xenprof.wire.codec import decode


@pytest.fixture
def app(tmp_path):
    loaders = {"prometheus": lambda: create}
    service = Service(SparseHost(), tmp_path, loaders=loaders, settings=ExporterSettings())
    service.start()
    yield create_app(service, read_only=False)
    service.close()


@pytest.mark.parametrize(
    ("path", "text"),
    [("/metrics", 'domain="web"'), ("/", "<html"), ("/-/ready", "ready")],
)
def test_it_answers(app, path, text):
    status, _, body = ask_now(app, "GET", path)

    assert (200, True) == (status, text in body.decode())


def test_its_snapshot_survives_the_trip(app):
    snapshot = decode(HostSnapshot, json.loads(ask_now(app, "GET", "/api/v1/snapshot")[2]))

    assert [(name, None) for name in NAMES] == [
        (one.name, one.memory_kib) for one in snapshot.domains
    ]


def test_unknown_values_are_null_in_the_api(app):
    snapshot = json.loads(ask_now(app, "GET", "/api/v1/snapshot")[2])

    assert (None, None) == (snapshot["mhz"], snapshot["domains"][1]["uuid"])


def refused_trace(home, tracer):
    """Return how a trace of such a host with this tracer is refused."""
    host = SparseHost()
    host.tracer = tracer
    service = Service(host, home, loaders={}, settings=ExporterSettings())
    service.start()
    status, _, body = ask_now(
        create_app(service, read_only=False), "POST", "/api/v1/trace/start", {}
    )
    service.close()
    return status, json.loads(body)["error"]["message"], len(service.traces.status())


def test_a_trace_needs_the_clock_rate(tmp_path):
    message = "this host does not know its clock rate: a trace has its times in cycles"

    assert (501, message, 0) == refused_trace(tmp_path, FakeTracer())


def test_a_trace_needs_a_tracer_in_the_first_place(tmp_path):
    message = str(MissingCapability("tracer"))

    assert (501, message, 0) == refused_trace(tmp_path, None)
