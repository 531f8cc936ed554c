"""`xenprof capture-scenario` over a fake service: what it asks for, prints and refuses."""

import json
from contextlib import closing
from dataclasses import replace

import pytest

from tests.support.capturing import SECOND, domain, host, still, vcpu
from tests.support.json_service import JsonService
from xenprof.cli import looking
from xenprof.cli.looking import looked
from xenprof.cli.main import main
from xenprof.client import ServiceError
from xenprof.xentop.recording import Look, Recorder


def look(seconds, **fields):
    """Return a host on which web runs for a fifth of the time."""
    return host(
        domain(0, "Domain-0", vcpu(seconds=seconds)),
        domain(1, "web", vcpu(0, seconds / 5, seconds=seconds)),
        seconds=seconds,
        **fields,
    )


class Service(JsonService):
    """A service that is asked for looks, which come in turn; the last one stays."""

    def __init__(self, *looks) -> None:
        self.looks = list(looks)
        self.waited: list[float] = []

    def answer_get(self, path):
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def answer_post(self, path, body):
        self.waited.append(body["seconds"])
        return {}


def record(path, *looks):
    with closing(Recorder(path, 2**20)) as recorder:
        for seen in looks:
            recorder.add(Look(seen.unix_ns, seen))


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(looking, "trial", still)
    recording = tmp_path / "host.rec"
    record(recording, look(10), look(20), look(40))

    def run(*arguments):
        code = main(["capture-scenario", "--from", str(recording), *arguments])
        return code, *capsys.readouterr()

    return run


def test_the_service_is_looked_at_twice_so_much_host_time_apart():
    service = Service(look(10), look(40))

    window = looked(service, 30 * SECOND)

    assert ([30.0], 30 * SECOND) == (service.waited, window.elapsed_ns)


def test_a_look_that_is_the_same_as_before_is_waited_for():
    service = Service(look(10), look(10), look(11))

    assert SECOND == looked(service, SECOND // 10).elapsed_ns


def test_a_host_that_cannot_be_read_is_told():
    with pytest.raises(ServiceError, match="nothing is known of xen0"):
        looked(Service(host(is_up=False)), SECOND)


def test_the_scenario_is_printed_and_the_table_told_aside(run):
    code, out, err = run()

    assert (0, True) == (code, '[[domain]]\nname = "web"' in out)
    assert "web             20.0      0.0  -20.0" in err


def test_with_a_file_the_table_is_printed(run, tmp_path):
    _, out, _ = run("--output", str(tmp_path / "web.toml"))

    assert (
        "Domain    Measured %  Model %  Error\n"
        "Domain-0         0.0      0.0   +0.0\n"
        "web             20.0      0.0  -20.0\n"
    ) == out
    assert 'name = "web"' in (tmp_path / "web.toml").read_text()


def test_all_that_was_recorded_is_the_window(run):
    assert 30 == json.loads(run("--json")[1])["window_seconds"]


def test_json_has_the_table_and_the_scenario(run):
    found = json.loads(run("--json")[1])

    assert {
        "id": 1,
        "host_name": "web",
        "name": "web",
        "measured_percent": 20.0,
        "model_percent": 0.0,
        "error_points": -20.0,
    } == found["domains"][1]
    assert found["scenario"].startswith("# Captured by xenprof capture-scenario")


def test_what_is_unknown_is_told_aside(run):
    assert "xenprof: host: Xen 4.17: the rules of 3.1" in run("--json")[2]


def test_a_domain_that_came_and_went_in_what_was_recorded_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(looking, "trial", still)
    seen = look(20)
    guest = domain(9, "brief", vcpu(0, 1))
    recording = tmp_path / "brief.rec"
    record(recording, look(10), replace(seen, domains=(*seen.domains, guest)), look(40))
    main(["capture-scenario", "--from", str(recording)])

    assert "xenprof: domain 9: 'brief' went during the window" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("affinities", "cpus"), [([(1,)], '"1"'), ([(1,), (0,), (0, 1)], '["1", "0", ""]')]
)
def test_pinning_is_recorded(affinities, cpus, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(looking, "trial", still)
    path = tmp_path / "pinned.rec"
    looks = [
        host(
            domain(
                1,
                "web",
                *(
                    vcpu(number, affinity=affinity, seconds=seconds)
                    for number, affinity in enumerate(affinities)
                ),
            ),
            seconds=seconds,
        )
        for seconds in (10, 20)
    ]
    record(path, *looks)

    main(["capture-scenario", "--from", str(path)])

    assert f"cpus = {cpus}\n" in capsys.readouterr().out


def test_a_recording_has_its_own_length(run):
    code, _, err = run("--for", "5s")

    assert (1, True) == (code, "--from takes all that was recorded" in err)


def test_a_recording_of_one_look_is_not_enough(tmp_path, capsys):
    path = tmp_path / "one.rec"
    record(path, look(10))

    code = main(["capture-scenario", "--from", str(path)])

    assert (1, f"xenprof: {path}: two looks are needed; it holds 1\n") == (
        code,
        capsys.readouterr().err,
    )


@pytest.mark.parametrize(
    ("looks", "reason"),
    [
        (
            [look(10, boot="a"), look(40, boot="b")],
            "the host has booted, or is another, between the two snapshots",
        ),
        (
            [look(10), look(40, is_up=False, domains=())],
            "the host could not be read at the beginning or the end",
        ),
        (
            [look(10), look(5), look(40)],
            "{path}: the host was started again in what was recorded",
        ),
    ],
    ids=["booted", "down", "started again"],
)
def test_a_recording_of_two_runs_of_a_host_is_refused(looks, reason, tmp_path, capsys):
    path = tmp_path / "runs.rec"
    record(path, *looks)

    code = main(["capture-scenario", "--from", str(path)])

    assert (1, f"xenprof: {reason.format(path=path)}\n") == (code, capsys.readouterr().err)
