"""`xenprof profile` over a fake host: what it validates, replaces and leaves as it was."""

from contextlib import suppress

import pytest

from hypervisor.errors import HostError, MissingCapability
from tests.support.fake_host import SIZES, USER, FakeHost, samples
from tests.support.opcontrol_shell import Client, write_images
from tests.support.session_setups import SETUP, total
from xenprof.cli.profile import DaemonRuns, Profiling, _StepFailed
from xenprof.client import ServiceError
from xenprof.errors import XenprofError
from xenprof.home import domain_root
from xenprof.store.begun import only_run
from xenprof.wire.paths import SNAPSHOT

EVENT = "GLOBAL_POWER_EVENTS:100000"
SAMPLE = (USER, 0x400123)


class Service(Client):
    """The service of a host whose domains take a sample each in every piece of time."""

    def __init__(self, host: FakeHost, home) -> None:
        super().__init__(host, home)
        self.refuses_to_wait = False
        self.sizes: list[str] = []

    def answer_get(self, path):
        return self.host.telemetry.snapshot() if path == SNAPSHOT else super().answer_get(path)

    def answer_post(self, path, given):
        if not path.endswith("/wait"):
            return super().answer_post(path, given)
        if self.refuses_to_wait:
            raise KeyboardInterrupt
        self.sizes.append(self.host.driver("Domain-0").read("cpu_buffer_size"))
        for domid, name in self.host.names.items():
            self.host.driver(name).give(samples(SAMPLE, domain=domid))
        return {}


@pytest.fixture
def service(tmp_path, monkeypatch):
    monkeypatch.setenv("XENPROF_HOME", str(tmp_path))
    write_images(tmp_path)
    return Service(FakeHost("Domain-0", "web"), tmp_path)


@pytest.fixture
def profile(service, tmp_path):
    def profile(active="0", passive=None, events=(EVENT,), recording=()):
        return Profiling(service, tmp_path).run(active, passive, events, 1_000_000_000, recording)

    return profile


def gather(service, count):
    """Add samples to the current session of domain 0, as a session of opcontrol does."""
    service.sessions.start("Domain-0", SETUP)
    service.host.driver("Domain-0").give(samples(*[SAMPLE] * count))
    service.sessions.shutdown("Domain-0")


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": ("NOSUCH:100000",)},
        {"events": ("GLOBAL_POWER_EVENTS:1",)},
        {"active": "0,nobody"},
        {"active": "0,web", "passive": "web"},
        {"passive": "nobody"},
        {"recording": ("--buffer-size=x",)},
    ],
)
def test_a_refused_profile_deletes_nothing(service, profile, tmp_path, wrong):
    gather(service, 3)
    code = 1
    with suppress(XenprofError, HostError):
        code = profile(**wrong)
    assert (3, True) == (total(tmp_path), code != 0)


def test_a_host_that_cannot_be_profiled_says_so_and_not_that_it_has_no_such_domain(
    service, profile, monkeypatch
):
    def no_profiler(path, given):
        raise ServiceError(str(MissingCapability("profiler")))

    monkeypatch.setattr(service, "answer_post", no_profiler)
    monkeypatch.setattr(service.host, "names", {})  # as while nothing is known of it

    with pytest.raises(ServiceError, match="type in its domain 0: xenprof record"):
        profile()


def test_a_guest_that_refuses_deletes_nothing(service, profile, tmp_path):
    gather(service, 3)
    service.host.profiler.hvm.add("web")
    assert 0 != profile("0,web")
    assert 3 == total(tmp_path)


def test_a_refused_profile_leaves_no_daemon(service, profile):
    service.host.profiler.hvm.add("web")
    profile("0,web")
    assert "stopped" == service.sessions.status("Domain-0").state


def test_the_sizes_of_buffers_are_for_one_profile(service, profile):
    profile(recording=("--cpu-buffer-size=512",))
    assert {"512"} == set(service.sizes)
    assert SIZES["cpu_buffer_size"] == service.host.driver("Domain-0").read("cpu_buffer_size")


@pytest.mark.parametrize("domain", ["Domain-0", "web"])
def test_a_session_that_runs_is_not_ended(service, profile, domain):
    service.sessions.start_daemon("Domain-0", SETUP)
    if domain == "web":
        service.sessions.shutdown("Domain-0")
        service.host.profiler.active[1] = False
        service.sessions.start_daemon("web", SETUP)
    with pytest.raises(DaemonRuns) as refused:
        profile()

    way = "opcontrol --shutdown" if domain == "Domain-0" else "opcontrol --domain web --shutdown"
    assert str(refused.value) == (
        f"a daemon profiles {domain} already: end its session first ({way})"
    )
    assert "stopped" != service.sessions.status(domain).state


def test_samples_of_an_earlier_session_are_told_when_they_are_replaced(
    service, profile, tmp_path, capsys
):
    gather(service, 3)
    profile()
    assert (
        "note: 3 samples of an earlier session of Domain-0 are replaced; "
        "opcontrol --save keeps such a session\n"
    ) in capsys.readouterr().err
    assert 20 == total(tmp_path)


def test_samples_of_an_earlier_profile_are_replaced_without_a_word(profile, capsys):
    profile()
    profile()
    assert "replaced" not in capsys.readouterr().err


def test_samples_that_opcontrol_has_added_to_a_profile_are_told(service, profile, capsys):
    profile()
    gather(service, 3)
    profile()
    assert "note: 23 samples of an earlier session of Domain-0" in capsys.readouterr().err


def test_sessions_of_one_profile_know_each_other(profile, tmp_path):
    profile("0,web")
    runs = {
        only_run(domain_root(tmp_path, name) / "var/lib/oprofile/samples/current")
        for name in ("Domain-0", "web")
    }
    assert (1, True) == (len(runs), None not in runs)


def test_an_interrupted_profile_leaves_no_daemon(service, profile):
    service.refuses_to_wait = True
    with pytest.raises(KeyboardInterrupt):
        profile("0,web")
    assert "stopped" == service.sessions.status("web").state


def test_a_guest_that_cannot_be_shut_down_keeps_no_other_daemon(service, profile, monkeypatch):
    opcontrol = Profiling._opcontrol

    def failing(self, domid, *words):
        if (domid, words) == (1, ("--shutdown",)):
            raise _StepFailed(1)
        opcontrol(self, domid, *words)

    monkeypatch.setattr(Profiling, "_opcontrol", failing)
    assert (profile(active="0,1"), service.sessions.status("Domain-0").state) == (
        1,
        "stopped",
    )
