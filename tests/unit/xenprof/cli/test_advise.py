"""`xenprof advise`: what it looks at, measures, writes and refuses."""

import json
from dataclasses import replace

import pytest

from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from tests.support.json_service import JsonService
from tests.support.talk_host import HOST
from xenprof.cli import advise, looking
from xenprof.cli.main import main
from xenprof.client import ServiceError
from xenprof.home import DOMAIN_0

SECOND = 10**9


class Service(JsonService):
    """A service of which a host is asked for twice, and all else is refused."""

    def __init__(self, *looks) -> None:
        self.looks = list(looks)
        self.gets: list[str] = []

    def answer_get(self, path):
        self.gets.append(path)
        if not path.startswith("/api/v1/snapshot"):
            raise ServiceError("only watched", http_status=501)
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def answer_post(self, path, body):
        return {}


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs the command, with a service; it returns code, out and err."""

    def run(*arguments, service=None):
        if service is not None:
            monkeypatch.setattr(advise, "Client", lambda home: service)
        code = main(["advise", *arguments])
        return code, *capsys.readouterr()

    return run


def later(host):
    return replace(host, time_ns=host.time_ns + 20 * SECOND)


def test_of_a_running_host_what_is_unknown_gives_no_advice(run):
    bare = HostSnapshot(1, SECOND, 0, "xen1", domains=(DomainSnapshot(0, DOMAIN_0),))
    code, out, err = run(service=Service(bare, later(bare)))
    assert (0, "") == (code, err)
    assert "xen1: 0 guests, 20 s" == out.splitlines()[0]
    assert "Check:" in out and "Do:" not in out


def test_one_of_several_hosts_is_looked_at_by_its_name(run):
    service = Service(HOST, later(HOST))
    assert 0 == run("--host", "xen 2", service=service)[0]
    assert {"/api/v1/snapshot?host=xen%202"} == set(service.gets)


def test_a_host_with_a_toolstack_is_asked_for_more(run):
    known = replace(HOST, sources={"toolstack": "model"})
    service = Service(known, later(known))
    assert 0 == run(service=service)[0]
    assert "/api/v1/xenstore" in service.gets


def test_so_is_the_first_of_several_if_it_is_asked_for_by_its_name(run):
    known = replace(HOST, sources={"toolstack": "model"})
    service = Service(known, later(known))
    run("--host", HOST.host, service=service)
    assert "/api/v1/xenstore" in service.gets


def test_another_than_the_first_is_not_asked_for_more(run):
    class Second(Service):
        """A service whose first host is another."""

        def answer_get(self, path):
            answer = super().answer_get(path)
            return replace(HOST, host="first") if path.endswith("snapshot") else answer

    known = replace(HOST, sources={"toolstack": "model"})
    service = Second(known, later(known))
    run("--host", HOST.host, service=service)
    assert "/api/v1/xenstore" not in service.gets


def test_json_is_one_object(run):
    code, out, _ = run("--json", service=Service(HOST, later(HOST)))
    told = json.loads(out)
    assert (0, "grumble", 20.0) == (code, told["host"], told["window_seconds"])


def test_without_a_service_it_is_one_line(run, tmp_path):
    code, out, err = run("--state-dir", str(tmp_path))
    assert (1, "") == (code, out)
    assert [f"xenprof: the xenprof service is not running on {tmp_path}; "
            "start it with: xenprof serve --background"] == err.splitlines()  # fmt: skip


def test_a_host_that_cannot_be_read_is_one_line(run):
    code, out, err = run(service=Service(HostSnapshot(1, 1, 1, "xen1", is_up=False)))
    assert (1, "") == (code, out)
    assert "xenprof: nothing is known of xen1: the service gets no data from it\n" == err


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["--scenario", "grumbel"], 2, "xenprof: no scenario 'grumbel' (did you mean 'grumble'?)"),
        (["--scenario", "/no.toml"], 2, "xenprof: /no.toml: cannot be read: No such file"),
        (["--scenario", "grumble", "--host", "x"], 1, "xenprof: advise: --scenario looks at no"),
        (["--scenario", "grumble", "--state-dir", "/x"], 1, "xenprof: advise: --scenario looks"),
        (["--scenario", "grumble", "--quick", "--write", "/dev/null/x"], 1, "xenprof: --write"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(run, arguments, code, line):
    found, out, err = run(*arguments)
    assert (code, "") == (found, out)
    assert err.startswith(line) and 1 == len(err.splitlines())


def test_each_experiment_is_written_to_a_file(run, tmp_path):
    folder = tmp_path / "new" / "folder"
    assert 0 == run("--scenario", "grumble", "--quick", "--write", str(folder))[0]
    assert "weights.capped-r5b2-mySQL01.toml" in {one.name for one in folder.iterdir()}


def test_what_is_written_is_for_nobody_else_to_read(run, tmp_path):
    folder = tmp_path / "new"
    run("--scenario", "grumble", "--quick", "--write", str(folder))
    modes = {one.stat().st_mode & 0o777 for one in folder.iterdir()}
    assert (0o700, {0o600}) == (folder.stat().st_mode & 0o777, modes)


def test_what_was_written_before_goes_and_what_others_wrote_stays(run, tmp_path):
    run("--scenario", "noisy", "--quick", "--write", str(tmp_path))
    own = tmp_path / "own.toml"
    own.write_text("title = 'mine'\n")
    run("--scenario", "grumble", "--quick", "--write", str(tmp_path))
    names = {one.name for one in tmp_path.iterdir()}
    assert {"own.toml", "weights.capped-r5b2-mySQL01.toml"} <= names
    assert "weights.starved-batch.toml" not in names


def test_what_is_measured_is_told(run, monkeypatch):
    from xenprof.advise import measuring
    from xenprof.advise.trials import Effect, Gain

    def effects(trials, times, told):
        told(1, 2)
        return [
            Effect((Gain(one.gauges[0], 2.0, 1.0, 0.0, times.seeds),), (), one.helped)
            for one in trials
        ]

    monkeypatch.setattr(measuring, "effects", effects)
    code, out, _ = run("--scenario", "grumble", "--quick", "--measure", "--json")
    found = [one for one in json.loads(out)["advice"] if one["measured"]]
    assert (0, {"better"}) == (code, {one["measured"]["verdict"] for one in found})


def test_a_captured_scenario_is_what_a_running_host_is_measured_on(run, monkeypatch, tmp_path):
    from tests.support.capturing import still

    monkeypatch.setattr(looking, "trial", still)
    code, _, err = run("--write", str(tmp_path), service=Service(HOST, later(HOST)))
    assert 0 == code
    assert "captured scenario" in err
    assert "xenprof: DesktopVM: its read requests are unknown: none" in err
