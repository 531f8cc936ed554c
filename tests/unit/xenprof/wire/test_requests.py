import pytest

from tests.support.wire_records import ASKED
from xenprof.service.commands import HOST_COMMANDS, OPCONTROL_COMMANDS
from xenprof.service.domain_commands import DOMAIN_COMMANDS
from xenprof.wire import host_requests as ask
from xenprof.wire.domain_requests import DumpCore, PinVcpu, SetCredit
from xenprof.wire.opcontrol import SaveSession, Setup
from xenprof.wire.paths import domain_path
from xenprof.wire.requests import DomainRequest, Request


def test_the_service_does_every_request_about_a_domain():
    asked = {kind.command for kind in ASKED if issubclass(kind, DomainRequest)}
    assert asked == {*DOMAIN_COMMANDS, *OPCONTROL_COMMANDS}


def test_the_service_does_every_command_of_the_host():
    kinds: tuple[type[Request], ...] = (
        ask.Create,
        ask.New,
        ask.Restore,
        ask.ClearDmesg,
        ask.DebugKeys,
    )
    assert {kind.command for kind in kinds} == set(HOST_COMMANDS)


def test_no_two_requests_have_one_path():
    paths = [kind.url("x") for kind in ASKED]
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (SetCredit.url("web"), "/api/v1/domains/web/sched-credit"),
        (SaveSession.url("a/b c"), "/api/v1/domains/a%2Fb%20c/opcontrol/save"),
        (domain_path("0", "oprofilefs", "cpu_type"), "/api/v1/domains/0/oprofilefs/cpu_type"),
        (ask.Restore.url(), "/api/v1/restore"),
    ],
)
def test_paths_keep_names_apart(path, expected):
    assert path == expected


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (SetCredit(weight=256), {"weight": 256}),
        (PinVcpu(None, (0, 1)), {"vcpu": None, "pcpus": (0, 1)}),
        (DumpCore(None), {"path": None, "live": False, "crash": False}),
        (SaveSession(name="x"), {"name": "x"}),
        (SaveSession(Setup(), "x"), {"setup": Setup(), "name": "x"}),
        (ask.ClearDmesg(), {}),
    ],
)
def test_a_body_leaves_out_what_is_not_said(request_, body):
    assert request_.body() == body
