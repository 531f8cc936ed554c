import json
import logging

import pytest

from hypervisor.errors import Refused
from tests.support.service_fakes import ask_now
from tests.support.snapshots import FixedSource
from xenprof.service.app import create_app
from xenprof.service.exporter import ExporterSettings
from xenprof.service.hostnames import AllowedHosts
from xenprof.service.loading import Exporters


def get(app, path):
    status, _, body = ask_now(app, "GET", path)
    return status, json.loads(body)


def post(app, path, body=None, **headers):
    status, _, content = ask_now(app, "POST", path, {} if body is None else body, **headers)
    return status, json.loads(content)


def test_the_snapshot_is_the_record_as_it_is(app):
    status, snapshot = get(app, "/api/v1/snapshot")

    assert status == 200
    assert snapshot["domains"][1]["name"] == "DesktopVM"
    assert snapshot["samples"][0]["mode"] in (0, 1, 2)


def test_info_keeps_its_rows(app):
    assert get(app, "/api/v1/info") == (200, {"host": "fake"})


def test_create_returns_id_and_name(app):
    answer = post(app, "/api/v1/domains", {"config": {"name": "new"}})

    assert answer == (200, {"domid": 5, "name": "new"})


def test_a_creation_that_fails_later_is_refused_with_its_reason(app):
    body = {"config_text": "kernel = '/k'", "config_name": "web", "overrides": {"vcpus": ["2"]}}
    status, answer = post(app, "/api/v1/domains", body)

    assert (status, answer["error"]["message"]) == (409, "Not enough free memory")


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("dmesg", {"text": " Xen version 3.0.3\n"}),
        ("xenstore", {"entries": [["/local", ""], ["/local/domain", ""]]}),
        ("domains/a%2Fb/sxp", {"sxp": ["domain", ["name", "a/b"]]}),
        (
            "domains/web/devices/vbd",
            {
                "devices": [
                    {
                        "backend_domid": 0,
                        "handle": 0,
                        "state": 4,
                        "event_channel": -1,
                        "backend_path": "vbd of web",
                        "sxp": ["51712"],
                        "device": 51712,
                        "ring_ref": 8,
                    }
                ]
            },
        ),
        ("domains/web/console", {"text": "console of web\n"}),
        ("managed", {"domains": [{"name": "kept", "memory_mib": 256, "vcpus": 2}]}),
    ],
)
def test_what_can_be_read(app, path, answer):
    assert get(app, f"/api/v1/{path}") == (200, answer)


@pytest.mark.parametrize(
    ("path", "body", "call", "answer"),
    [
        ("dmesg/clear", {}, ("clear",), {}),
        ("debug-keys", {"keys": "r"}, ("press", "r"), {}),
        (
            "restore",
            {"path": "/x", "paused": True},
            ("restore", "/x", True),
            {"domid": 1, "name": "DesktopVM"},
        ),
    ],
)
def test_a_command_of_the_host_reaches_the_toolstack(app, host, path, body, call, answer):
    assert post(app, f"/api/v1/{path}", body) == (200, answer)
    assert host.toolstack.calls == [call]


def test_a_dry_run_describes_and_creates_nothing(app, host):
    body = {"config_text": "kernel = '/k'", "config_name": "web"}

    assert post(app, "/api/v1/config", body) == (200, {"sxp": ["vm", ["name", "web"]]})
    assert len(host.names) == 5


def test_a_created_domain_is_in_the_next_snapshot_and_has_a_root(app, tmp_path):
    post(app, "/api/v1/domains", {"config": {"name": "new"}})

    assert get(app, "/api/v1/snapshot")[1]["domains"][5]["name"] == "new"
    assert (tmp_path / "domains/new").is_dir()


@pytest.mark.parametrize(
    ("verb", "body", "call"),
    [
        ("destroy", {}, ("destroy", "ossvm02")),
        ("shutdown", {}, ("shutdown", "ossvm02", "poweroff")),
        ("shutdown", {"reason": "halt"}, ("shutdown", "ossvm02", "halt")),
        ("rename", {"name": "b"}, ("rename", "ossvm02", "b")),
        ("sysrq", {"key": "s"}, ("sysrq", "ossvm02", "s")),
        ("trigger", {"trigger": "nmi", "vcpu": 1}, ("trigger", "ossvm02", "nmi", 1)),
        ("save", {"path": "/x"}, ("save", "ossvm02", "/x", False)),
        ("set-maximum-memory", {"mib": 9}, ("set_maximum_memory", "ossvm02", 9)),
        (
            "attach-block",
            {"backend": "phy:sdb1", "frontend": "xvdb", "mode": "w"},
            ("attach_block", "ossvm02", "phy:sdb1", "xvdb", "w", ""),
        ),
        ("detach-block", {"device": 51728}, ("detach_block", "ossvm02", "51728", False)),
        ("detach-block", {"device": "xvdb"}, ("detach_block", "ossvm02", "xvdb", False)),
        ("attach-network", {"options": ""}, ("attach_network", "ossvm02", "")),
        ("detach-network", {"index": 0}, ("detach_network", "ossvm02", 0, False)),
        ("pause", {}, ("pause", "ossvm02")),
        ("set-vcpus", {"count": 2}, ("set_vcpus", "ossvm02", 2)),
        ("pin-vcpu", {"vcpu": None, "pcpus": [0, 1]}, ("pin_vcpu", "ossvm02", None, (0, 1))),
        ("set-memory", {"mib": 128}, ("set_memory", "ossvm02", 128)),
        ("sched-credit", {"weight": 512}, ("set_sched_credit", "ossvm02", 512, None)),
    ],
)
def test_a_command_reaches_the_toolstack(app, host, verb, body, call):
    assert post(app, f"/api/v1/domains/ossvm02/{verb}", body) == (200, {})
    assert host.toolstack.calls == [call]


def test_a_value_that_may_be_of_two_kinds_is_asked_for_as_both(app):
    status, answer = post(
        app, "/api/v1/config", {"config_text": "", "config_name": "a", "overrides": {"vcpus": 3}}
    )

    expected = "config: 'overrides.vcpus' must be a text or a list of texts, not 3"
    assert (400, expected) == (status, answer["error"]["message"])


def test_a_core_dump_answers_with_its_file(app):
    answer = post(app, "/api/v1/domains/ossvm02/dump-core", {"path": None, "live": True})

    assert answer == (200, {"path": "/var/xen/dump/core"})


def test_sched_credit_can_be_read(app):
    answer = get(app, "/api/v1/domains/ossvm02/sched-credit")

    assert answer == (200, {"weight": 256, "cap_percent": 50})


def test_a_name_with_a_slash_is_one_name(app, host):
    host.names[5] = "a/b"

    assert post(app, "/api/v1/domains/a%2Fb/pause")[0] == 200
    assert host.toolstack.calls == [("pause", "a/b")]


def test_a_file_of_oprofilefs_can_be_read(app):
    answer = get(app, "/api/v1/domains/0/oprofilefs/cpu_type")

    assert answer == (200, {"value": "i386/p4-ht"})


def test_opcontrol_answers_with_its_outcome(app):
    status, answer = post(app, "/api/v1/domains/0/opcontrol/status")

    assert (status, answer["exit_code"]) == (200, 0)
    assert answer["status"]["state"] == "stopped"


def test_an_unknown_domain_is_404_with_its_class_and_exit_code(app):
    error = {"type": "UnknownDomain", "message": "Domain 'x' does not exist.", "exit_code": 1}

    assert post(app, "/api/v1/domains/x/pause") == (404, {"error": error})


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/api/v1/domains/x/explode", {}, 404, "unknown command 'explode'"),
        ("/api/v1/domains/x/set-vcpus", {}, 400, "the argument 'count' is missing"),
        ("/api/v1/domains/x/set-vcpus", {"count": "2"}, 400, "'count' must be a whole number"),
        ("/api/v1/domains/x/set-vcpus", {"n": 2}, 400, "unknown argument 'n'"),
        ("/api/v1/domains/x/pin-vcpu", {"pcpus": 1}, 400, "'pcpus' must be a list"),
        ("/api/v1/domains/x/pause", [], 400, "must be a JSON object"),
        ("/api/v1/domains", {}, 400, "it takes either"),
        ("/api/v1/wait", {"seconds": -1}, 400, "'seconds' must be a number from 0"),
        ("/api/v1/domains/0/opcontrol/start-daemon", {}, 400, "'setup' is missing"),
        ("/api/v1/domains/0/opcontrol/start", {"setup": {"x": 1}}, 400, "unknown setup key: x"),
        ("/api/v1/domains/0/opcontrol/start", {"setup": {"separate": ["x"]}}, 400, "separation: x"),
        ("/api/v1/domains/0/opcontrol/start", {"setup": 1}, 400, "'setup' must be an object"),
        (
            "/api/v1/domains/0/opcontrol/start",
            {"setup": {"kernel_range": [1]}},
            400,
            "'setup.kernel_range' must be a list of 2 whole numbers",
        ),
        (
            "/api/v1/domains/0/opcontrol/start",
            {"setup": {"events": [{"x": 1}]}},
            400,
            "'setup.events[0].x' is unknown (it takes: ",
        ),
        ("/api/v1/domains/0/opcontrol/save", {}, 400, "the argument 'name' is missing"),
        ("/api/v1/domains/x/rename", {"name": ""}, 400, "the argument 'name' is missing"),
        ("/api/v1/domains/x/sched-sedf", {"extratime": 2}, 400, "must be true or false"),
        ("/api/v1/domains", {"config_text": "x"}, 400, "the argument 'config_name' is missing"),
        ("/api/v1/nothing", {}, 404, "Not Found"),
    ],
)
def test_what_cannot_be_done_is_one_line(app, path, body, status, message):
    got, answer = post(app, path, body)

    assert got == status
    assert message in answer["error"]["message"]


def test_a_bug_is_an_internal_error_and_not_dressed_up(app):
    with pytest.raises(ZeroDivisionError):  # the server logs it; the client already has its answer
        post(app, "/api/v1/domains/ossvm02/unpause")


@pytest.mark.parametrize(
    "path",
    ["/api/v1/domains", "/api/v1/domains/0/pause", "/api/v1/domains/0/opcontrol/start",
     "/api/v1/wait", "/api/v1/stop"],
)  # fmt: skip
def test_read_only_means_that_nothing_can_be_changed(service, host, path):
    status, answer = post(create_app(service, read_only=True), path)

    assert status == 403
    assert "read-only" in answer["error"]["message"]
    assert host.toolstack.calls == []


def test_the_name_of_the_host_is_asked_before_anything_else(service):
    app = create_app(service, read_only=True, allowed_hosts=AllowedHosts())
    headers = {"host": "evil.example"}

    assert {ask_now(app, "GET", path, headers=headers)[0]
            for path in ("/", "/metrics", "/api/v1/snapshot", "/nothing")} == {403}  # fmt: skip


def test_the_control_socket_takes_any_name_of_the_host(app):
    assert ask_now(app, "GET", "/api/v1/info", headers={"host": "evil.example"})[0] == 200


@pytest.mark.parametrize(("allowed", "place"), [(None, "{home}"), (AllowedHosts(), "HOME")])
def test_the_place_of_home_is_told_on_the_control_socket_only(
    service, host, tmp_path, monkeypatch, allowed, place
):
    def refuse(domain):
        raise Refused(f"{tmp_path}/domains/x: Permission denied")

    monkeypatch.setattr(host.toolstack, "pause", refuse)
    app = create_app(service, read_only=False, allowed_hosts=allowed)
    _, answer = post(app, "/api/v1/domains/0/pause")

    expected = f"{place.format(home=tmp_path)}/domains/x: Permission denied"
    assert answer["error"]["message"] == expected


def test_read_only_can_be_read(service):
    app = create_app(service, read_only=True)

    assert get(app, "/api/v1/domains/0/sched-credit")[0] == 200


@pytest.mark.parametrize("path", ["/", "/-/healthy", "/-/ready", "/metrics"])
def test_the_pages_of_an_exporter_answer(app, path):
    assert ask_now(app, "GET", path)[0] == 200


def test_an_exporter_that_fails_to_load_is_shown_and_the_others_run(service):
    collectors = service.stats().collectors

    assert (collectors["broken"].success, collectors["text"].success) == (False, True)


def test_an_exporter_with_nothing_to_do_is_no_collector():
    exporters = Exporters({"nothing": lambda: lambda source, settings: None})
    exporters.create(FixedSource(), ExporterSettings())
    exporters.start()
    assert exporters.stats == {}


def test_waiting_ends_after_the_model_time(app, host):
    before_ns = host.now_ns

    assert post(app, "/api/v1/wait", {"seconds": 0.05}) == (200, {})
    assert host.now_ns - before_ns >= 50_000_000


def test_commands_are_logged_with_their_virtual_time(app, tmp_path):
    post(app, "/api/v1/domains/ossvm02/set-memory", {"mib": 128})

    (line,) = (tmp_path / "commands.jsonl").read_text().splitlines()
    entry = json.loads(line)
    assert entry.pop("time_ns") >= 0
    assert entry == {"name": "set-memory", "domain": "ossvm02", "arguments": {"mib": 128}}


def test_a_root_that_cannot_be_written_does_not_stop_the_model(app, service, tmp_path, caplog):
    (tmp_path / "domains/new").write_text("not a directory")
    with caplog.at_level(logging.CRITICAL, logger="xenprof.service.service"):
        post(app, "/api/v1/domains", {"config": {"name": "new"}})

    assert service.is_ready
