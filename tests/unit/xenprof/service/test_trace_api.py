import base64
import json

import pytest

from hypervisor.trace_events import ALL, SWITCH
from tests.support.fake_host import FakeHost
from tests.support.live.fake_rings import change
from tests.support.live.traced_host import TracedHost
from tests.support.service_fakes import ask_now
from tests.support.traces import row
from xenprof.service.app import create_app
from xenprof.service.exporter import ExporterSettings
from xenprof.service.service import Service
from xenprof.trace.forms import XENTRACE_4
from xenprof.trace.xentrace30 import encode

ROWS = [row(1000, SWITCH, 0, 0, 1, 0), row(2000, SWITCH, 1, 0, 0, 0, pcpu=1)]


@pytest.fixture
def host():
    return FakeHost()


@pytest.fixture
def service(host, tmp_path):
    service = Service(host, tmp_path, loaders={}, settings=ExporterSettings())
    service.start()
    yield service
    service.close()


@pytest.fixture
def app(service):
    return create_app(service, read_only=False)


def post(app, path, body=None):
    status, _, content = ask_now(app, "POST", path, body or {})
    return status, json.loads(content)


def started(app, host):
    status, answer = post(app, "/api/v1/trace/start")
    assert status == 200
    host.tracer.queued = list(ROWS)
    return f"/api/v1/trace/{answer['reader']}"


def test_a_reader_starts_with_everything(app, host):
    _, answer = post(app, "/api/v1/trace/start")
    assert (answer["reader"], answer["mhz"], host.tracer.masks[0]) == (1, 3200, ALL)


def test_records_come_as_the_original_writes_them(app, host):
    path = started(app, host)
    _, answer = post(app, path + "/read")
    assert (answer["count"], base64.b64decode(answer["records"])) == (2, encode(ROWS, 3200))


def test_records_come_as_bytes(app, host):
    path = started(app, host)
    _, headers, content = ask_now(app, "POST", path + "/read", {"format": "binary"})
    assert (headers["content-type"], content) == ("application/octet-stream", encode(ROWS, 3200))


def test_records_come_as_json(app, host):
    path = started(app, host)
    _, answer = post(app, path + "/stop", {"format": "json"})
    assert answer["records"] == [
        [1000, 0, SWITCH, [0, 0, 1, 0]],
        [2000, 1, SWITCH, [1, 0, 0, 0]],
    ]


def test_the_status_tells_of_rings_and_readers(app, host):
    started(app, host)
    _, _, content = ask_now(app, "GET", "/api/v1/trace")
    status = json.loads(content)
    assert (status["lost"], [one["reader"] for one in status["readers"]]) == ([0, 0], [1])


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("start", {"poll_ms": 0}, 400, "trace start: 'poll_ms' is 1 to 60000, not 0"),
        ("start", {"threshold": 0}, 400, "trace start: 'threshold' is a number from 1, not 0"),
        ("start", {"event_mask": -1}, 400, "trace start: 'event_mask' is a number of up to 64"),
        ("start", {"event_mask": "all"}, 400, "trace start: 'event_mask' must be a whole number"),
        ("start", {"pcpu_mask": 1 << 70}, 400, "trace start: 'pcpu_mask' is a number of up to 64"),
        ("1/read", {"format": "xml"}, 400, "trace read: 'format' is one of base64, binary, json"),
        ("7/read", {}, 404, "there is no trace reader 7"),
        ("7/stop", {}, 404, "there is no trace reader 7"),
    ],
)
def test_what_cannot_be_done_is_one_line(app, path, body, status, message):
    got, answer = post(app, f"/api/v1/trace/{path}", body)
    assert (got, answer["error"]["message"][: len(message)]) == (status, message)


@pytest.mark.parametrize("path", ["start", "1/read", "1/stop"])
def test_read_only_means_that_nobody_traces(service, path):
    app = create_app(service, read_only=True)
    assert post(app, f"/api/v1/trace/{path}")[0] == 403


def test_read_only_can_see_the_status(service):
    app = create_app(service, read_only=True)
    assert ask_now(app, "GET", "/api/v1/trace")[0] == 200


def test_records_of_a_real_host_come_as_its_own_xentrace_writes_them(tmp_path):
    host = TracedHost()
    service = Service(host, tmp_path, loaders={}, settings=ExporterSettings())
    service.start()
    try:
        app = create_app(service, read_only=False)
        _, begun = post(app, "/api/v1/trace/start")
        host.rings.emit(0, change(1 << 40, 3, 0, 0, 1))
        _, answer = post(app, f"/api/v1/trace/{begun['reader']}/stop")
    finally:
        service.close()
    records = XENTRACE_4.decode(base64.b64decode(answer["records"]))

    assert ("xentrace 4", [0x21011], [3 << 16]) == (
        begun["form"],
        records.event.tolist()[:1],
        records.data[:1, 0].tolist(),
    )
