import json

import pytest

from tests.support.e2e.tiny import TINY
from xenprof.cli.main import main
from xenprof.cli.run_sessions import Run
from xenprof.store.begun import stored_samples


@pytest.fixture
def run(tmp_path, capsys):
    scenario = tmp_path / "tiny.toml"
    scenario.write_text(TINY)

    def run(*arguments):
        exit_code = main(["run", "--scenario", str(scenario), *arguments])
        captured = capsys.readouterr()
        return exit_code, captured.out, captured.err

    return run


def busy_seconds(output):
    return json.loads(output)["domains"][1]["cpu_seconds"]


def test_a_run_reports_the_time_it_was_given(run):
    exit_code, output, _ = run("--for", "1500ms", "--json")

    assert (exit_code, json.loads(output)["time_seconds"]) == (0, 1.5)


def test_the_same_seed_gives_the_same_bytes(run):
    assert run("--for", "1s", "--seed", "7", "--json") == run(
        "--for", "1s", "--seed", "7", "--json"
    )


def test_without_json_it_is_a_table(run):
    _, output, _ = run("--for", "1s")

    assert output.startswith("tiny: Xen 3.0.3")
    assert "busy" in output


def test_commands_are_replayed_at_their_time(run, tmp_path):
    log = tmp_path / "commands.jsonl"
    log.write_text('{"time_ns": 1000000000, "name": "pause", "domain": "busy", "arguments": {}}\n')
    _, output, _ = run("--for", "4s", "--json", "--commands", str(log))

    assert 0.8 < busy_seconds(output) <= 1.0


def test_a_command_that_is_refused_is_told_and_the_run_goes_on(run, tmp_path):
    log = tmp_path / "commands.jsonl"
    log.write_text('{"time_ns": 0, "name": "pause", "domain": "nobody"}\n')
    exit_code, _, errors = run("--for", "1s", "--json", "--commands", str(log))

    assert (exit_code, errors) == (0, "xenprof: pause: Domain 'nobody' does not exist.\n")


def test_commands_after_the_end_are_told(run, tmp_path):
    log = tmp_path / "commands.jsonl"
    log.write_text('{"time_ns": 9000000000, "name": "pause", "domain": "busy"}\n')
    exit_code, _, errors = run("--for", "1s", "--json", "--commands", str(log))

    assert (0, "xenprof: 1 of 1 commands lie after the end and are not given\n") == (
        exit_code,
        errors,
    )


@pytest.mark.parametrize(
    "line", ["nonsense", '{"name": "pause"}', '{"time_ns": "soon", "name": "pause"}', "[]"]
)
def test_a_line_that_is_no_command_is_named(run, tmp_path, line):
    log = tmp_path / "commands.jsonl"
    log.write_text(line + "\n")
    exit_code, _, errors = run("--for", "1s", "--commands", str(log))

    assert exit_code == 1
    assert errors.startswith(f"xenprof: {log}:1: not a command")


def test_a_state_dir_keeps_the_roots_of_the_domains(run, tmp_path):
    run("--for", "10ms", "--state-dir", str(tmp_path / "state"))

    assert (tmp_path / "state/domains/busy").is_dir()


PROFILE = ("--profile", "GLOBAL_POWER_EVENTS:100000:1", "--active", "0,busy", "--json")


def test_samples_of_an_earlier_run_are_told(run, tmp_path):
    state = tmp_path / "state"
    first = run("--for", "300ms", *PROFILE, "--state-dir", str(state))
    samples = stored(state)
    second = run("--for", "300ms", *PROFILE, "--state-dir", str(state))

    assert samples > 0
    assert ("", told(state, samples), first[1]) == (first[2], second[2], second[1])
    assert stored(state) == 2 * samples


def test_samples_of_an_interrupted_run_are_told(run, tmp_path, monkeypatch):
    state, advance = tmp_path / "state", Run.advance

    def interrupted(self, *arguments):
        advance(self, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Run, "advance", interrupted)
        run("--for", "300ms", *PROFILE, "--state-dir", str(state))
    samples = stored(state)
    _, _, errors = run("--for", "300ms", *PROFILE, "--state-dir", str(state))

    assert samples > 0
    assert told(state, samples) == errors


def test_a_run_that_samples_nothing_tells_of_no_samples(run, tmp_path):
    state = tmp_path / "state"
    run("--for", "300ms", *PROFILE, "--state-dir", str(state))
    _, _, errors = run("--for", "300ms", "--state-dir", str(state))

    assert errors == ""


def stored(state):
    sessions = (state / "domains").glob("*/var/lib/oprofile/samples/current")
    return sum(stored_samples(session) for session in sessions)


def told(state, samples):
    return (
        f"note: {state} has {samples} samples of earlier runs, which stay; "
        "another --state-dir keeps those of this run apart\n"
    )


def test_xends_log_is_where_xm_log_looks_for_it(run, tmp_path):
    run("--for", "10ms", "--state-dir", str(tmp_path / "state"))
    logs = (tmp_path / "state").glob("domains/*/var/log/xen/xend.log")
    assert ["Domain-0"] == [path.parents[3].name for path in logs]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["--active", "0"], 1, "which event?"),
        (["--profile", "NO_SUCH:100000"], 1, 'No such event "NO_SUCH"'),
        (["--profile", "GLOBAL_POWER_EVENTS:100000:1", "--active", "nobody"], 1,
         "Domain 'nobody' does not exist."),
        (["--seed", "-1"], 2, "-1 is not in the range"),
        (["--commands", "/nonexistent"], 1, "/nonexistent"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_explained(run, arguments, exit_code, message):
    got, _, errors = run("--for", "1s", *arguments)

    assert got == exit_code
    assert message in errors


def test_a_profiled_run_counts_each_sample_once(run):
    _, output, _ = run("--for", "2s", "--profile", "GLOBAL_POWER_EVENTS:1000000:1", "--active",
                       "0,1", "--json")  # fmt: skip
    counts = json.loads(output)["xenoprof"]

    assert counts["total"] == sum(n for name, n in counts.items() if name != "total")
    assert counts["active"] > 4000
