import errno
import os

import pytest

from hypervisor.live.agent.check import findings
from hypervisor.live.agent.errors import HypercallFailed, Unavailable
from hypervisor.live.agent.options import Options
from hypervisor.live.agent.report.fields import DomainReport, SamplerReport, VcpuReport, VifReport
from hypervisor.live.agent.web import passwords
from hypervisor.live.agent.web.listening import Address
from tests.support.certificates import make_certificate
from tests.support.live.agent_parts import bare_report, listener
from tests.support.webconfigs import HASH, TLS


class Host:
    interface = "domctl 0x15, sysctl 0x15"

    def __init__(self, report=None, error=None):
        self._report = report
        self._error = error
        self.is_closed = False
        self.hertz = 0

    def poll(self):
        if self._error is not None:
            raise self._error
        return self._report

    def sample(self, hertz):
        self.hertz = hertz

    def trace(self):
        raise AssertionError("a check changes nothing")

    def close(self):
        self.is_closed = True


GOOD = bare_report(
    domains=[
        DomainReport(0, "u", vcpus=[VcpuReport(0), VcpuReport(1)]),
        DomainReport(1, "v", vifs=[VifReport(0), VifReport(1, receive_bytes=5)]),
    ],
    sources={"vcpu_time": "hypercall", "vif": "sysfs"},
    problems=[
        f"weights: {HypercallFailed(errno.EACCES)}",
        "vbd-1-51712: no statistics\nin\x1b[31m red",
    ],
)


@pytest.fixture
def dom0(tmp_path):
    """Return a root like that of a domain 0."""
    for path, text in (
        ("proc/xen/capabilities", "control_d\n"),
        ("sys/kernel/security/lockdown", "[none] integrity confidentiality\n"),
    ):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def checked(root, host=None, options=None):
    host = Host(GOOD) if host is None else host
    options = Options() if options is None else options
    return {one.what: one for one in findings(options, lambda _: host, str(root))}


def test_where_all_can_be_read_nothing_is_fatal(dom0):
    assert "FATAL" not in {one.verdict for one in checked(dom0).values()}


def test_each_finding_is_one_safe_line(dom0):
    lines = [str(one) for one in findings(Options(), lambda _: Host(GOOD), str(dom0))]

    assert [True] * len(lines) == [line.isprintable() for line in lines]


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("domain 0", "ok       domain 0: /proc/xen/capabilities has control_d"),
        ("lockdown", "ok       lockdown: none"),
        ("hypervisor", "ok       hypervisor: answers by domctl 0x15, sysctl 0x15"),
        ("poll", "ok       poll: 2 domains, 2 vcpus; 14 hypercalls, 0.0 ms of processor time"),
        ("vif", "ok       vif: network interfaces, by sysfs: 1 of 2"),
        ("vbd", "missing  vbd: block devices cannot be read here"),
        ("runstates", "missing  runstates: waiting, blocked and capped time of vcpus cannot be read here"),
    ],
)  # fmt: skip
def test_what_is_there_is_told(dom0, what, line):
    assert line == str(checked(dom0)[what])


def test_a_denial_of_flask_is_told(dom0):
    lines = [str(one) for one in findings(Options(), lambda _: Host(GOOD), str(dom0))]

    assert (
        "missing  problem: weights: the hypervisor's security policy (FLASK) denies it (EACCES)"
        in (lines)
    )


def test_a_guest_cannot_serve(dom0):
    (dom0 / "proc/xen/capabilities").write_text("")
    found = checked(dom0)["domain 0"]

    assert "FATAL" == found.verdict
    assert "lacks control_d" in found.told


@pytest.mark.parametrize("hertz", [0, 20])
def test_it_is_tried_as_it_would_be_sampled(dom0, hertz):
    host = Host(GOOD)
    checked(dom0, host, Options(sample_hz=hertz))

    assert hertz == host.hertz


class Sampling(Host):
    """A host whose vcpus are sampled in the third poll, if ever."""

    def __init__(self, is_sampled):
        super().__init__(GOOD)
        self.is_sampled = is_sampled
        self.polls = 0

    def poll(self):
        self.polls += 1
        rounds = self.polls - 1
        report = GOOD._replace(sampler=SamplerReport(rounds, rounds, 0, 20), hypercalls=self.polls)
        if not self.is_sampled or self.polls < 3:
            return report
        return report._replace(sources={**GOOD.sources, "runstates": "sampled"})


@pytest.mark.parametrize(
    ("is_sampled", "line", "polls"),
    [
        (True, "ok       runstates: waiting, blocked and capped time of vcpus, by sampled", 3),
        (
            False,
            "missing  runstates: waiting, blocked and capped time of vcpus are told by none of 30"
            " rounds of sampling; 30 vcpus were on its own pcpu",
            31,
        ),
    ],
)
def test_sampling_is_right_only_after_it_has_told_of_a_vcpu(dom0, is_sampled, line, polls):
    host = Sampling(is_sampled)
    found = findings(Options(), lambda _: host, str(dom0), pause=lambda _: None)
    lines = {one.what: str(one) for one in found}

    assert (line, polls) == (lines["runstates"], host.polls)
    assert "2 domains, 2 vcpus; 1 hypercalls" in lines["poll"]


def test_a_machine_without_xen_is_told(tmp_path):
    assert "no Xen runs here" in checked(tmp_path)["domain 0"].told


def test_lockdown_is_told(dom0):
    (dom0 / "sys/kernel/security/lockdown").write_text("none [integrity] confidentiality\n")
    found = checked(dom0)["lockdown"]

    assert "missing" == found.verdict
    assert found.told.startswith("integrity: ")


def test_who_is_not_root_is_told(dom0, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert "number 1000, not root" in checked(dom0)["user"].told


def test_a_hypervisor_that_cannot_be_asked_is_fatal_and_says_what_was_tried(dom0):
    def unavailable(_):
        raise Unavailable("Xen's domctl interface", "it accepts none of the versions 0x12", "wait")

    found = {one.what: one for one in findings(Options(), unavailable, str(dom0))}["hypervisor"]

    assert "FATAL" == found.verdict
    assert "none of the versions 0x12" in found.told


def test_a_poll_that_fails_is_fatal(dom0):
    host = Host(error=OSError("gone"))
    found = checked(dom0, host)["poll"]

    assert ("FATAL", "OSError: gone", True) == (found.verdict, found.told, host.is_closed)


@pytest.mark.parametrize(
    ("text", "verdict"), [("", "ok"), ("nonsense: 1\n", "FATAL"), (f"basic_auth_users:\n  a: {HASH}\n", "ok")]
)  # fmt: skip
def test_the_web_config_is_read(dom0, text, verdict):
    file = dom0 / "web.yml"
    file.write_text(text)

    assert verdict == checked(dom0, options=Options(web_config=str(file)))["web config"].verdict


@pytest.mark.parametrize(
    ("text", "verdict"), [("", "missing"), (f"basic_auth_users:\n  a: {HASH}\n", "FATAL")]
)
def test_a_library_without_bcrypt_is_fatal_where_there_are_passwords(
    dom0, monkeypatch, text, verdict
):
    monkeypatch.setattr(passwords, "_LIBRARIES", ())
    file = dom0 / "web.yml"
    file.write_text(text)

    assert verdict == checked(dom0, options=Options(web_config=str(file)))["bcrypt"].verdict


def test_where_it_would_serve_is_told(dom0):
    options = Options(unix_socket=str(dom0 / "a.sock"))

    assert f"ok       serving: on {dom0}/a.sock" == str(checked(dom0, options=options)["serving"])


def test_an_address_for_strangers_without_tls_is_fatal(dom0):
    found = checked(dom0, options=Options(addresses=(Address("0.0.0.0", 0),)))["serving"]

    assert ("FATAL", True) == (found.verdict, "can be reached from outside" in found.told)


def test_a_port_that_is_taken_is_fatal(dom0):
    with listener() as taken:
        address = Address(*taken.getsockname()[:2])
        found = checked(dom0, options=Options(addresses=(address,)))["serving"]

    assert "FATAL" == found.verdict


def test_a_socket_in_a_folder_that_is_not_there_is_fatal(dom0):
    found = checked(dom0, options=Options(unix_socket=str(dom0 / "none/a.sock")))["serving"]

    assert "FATAL" == found.verdict


@pytest.mark.skipif(os.getuid() != 0, reason="only root can read what others own")
def test_a_key_that_could_not_be_read_again_is_fatal_and_named(dom0):
    make_certificate(dom0)
    key = dom0 / "key.pem"
    os.chown(key, 65534, 65534)
    key.chmod(0o600)
    (dom0 / "web.yml").write_text(TLS)
    found = checked(dom0, options=Options(web_config=str(dom0 / "web.yml")))["web config"]

    assert "FATAL" == found.verdict
    assert f"{key}: Permission denied to root without capabilities" in found.told
