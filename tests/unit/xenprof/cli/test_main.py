import os
import subprocess
import sys

import pytest

from xenprof.cli.main import PROGRAMS, main
from xenprof.service.home_lock import HomeLock
from xenprof.version import version


def test_help_lists_commands_and_programs(capsys):
    main(["--help"])

    words = capsys.readouterr().out.split()
    assert {"serve", "run", "profile", "stop", *PROGRAMS} <= set(words)


def test_version_is_that_of_the_package_and_what_the_model_runs_as(capsys, monkeypatch):
    monkeypatch.setenv("XENPROF_PURE", "1")

    main(["--version"])

    assert f"xenprof {version()}\nengine: pure (XENPROF_PURE is set)\n" == capsys.readouterr().out


def test_a_program_gets_its_arguments_untouched(monkeypatch):
    import xenprof.cli.ophelp

    got = []

    def program(argv):
        got.append(argv)
        return 3

    monkeypatch.setattr(xenprof.cli.ophelp, "main", program)

    assert main(["ophelp", "--help", "-x"]) == 3
    assert got == [["--help", "-x"]]


def test_a_program_does_not_pay_for_click():
    code = (
        "import sys; from xenprof.cli.main import main; main(['ophelp', '--version']);"
        "print([m for m in ('click', 'pydantic', 'starlette', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explode"], "No such command 'explode'"),
        (["serve", "--speed", "-1"], "neither a number above 0 nor 'max'"),
        (["serve", "--web.allowed-host", "box:80"], "'box:80' is not the name or address of a"),
        (["serve", "--web.telemetry-path", "nolead"], "'nolead' is not the path of a URL"),
        (["serve", "--web.telemetry-path", "/"], "the service has something else there"),
        (["serve", "--otlp-endpoint", "http://"], "begin with http:// or https://"),
        (["serve", "--push-url", "http://h/a\nb"], "begin with http:// or https://"),
        (["run", "--for", "soon"], "is not a duration"),
        (["run"], "Missing option '--for'"),
        (["report", "--limit", "x"], "'x' is not a valid integer."),
    ],
)
def test_wrong_usage_is_explained_with_exit_code_2(capsys, arguments, message):
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_without_a_service_a_command_says_how_to_start_one(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XENPROF_HOME", str(tmp_path))

    assert main(["profile"]) == 1
    assert capsys.readouterr().err == (
        f"xenprof: the xenprof service is not running on {tmp_path}; "
        "start it with: xenprof serve --background\n"
    )


@pytest.mark.parametrize(("typed", "meant"), [("rpeort", "report"), ("opreprot", "opreport")])
def test_the_command_that_is_nearest_to_an_unknown_one_is_told(capsys, typed, meant):
    assert main([typed]) == 2
    assert capsys.readouterr().err.endswith(f"note: did you mean xenprof {meant}?\n")


def test_without_a_service_there_is_nothing_to_stop(capsys, tmp_path):
    assert main(["stop", "--state-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"xenprof: the xenprof service is not running on {tmp_path}\n"


def test_a_service_that_runs_takes_no_options_for_its_start(capsys, tmp_path):
    lock = HomeLock(tmp_path)
    start = ["serve", "--background", "--state-dir", str(tmp_path)]
    try:
        codes = main(start), main([*start, "--speed", "2", "--scenario", "busy32"])
    finally:
        lock.release()
    out, err = capsys.readouterr()

    served = f"xenprof: {tmp_path} is already served by process {os.getpid()}"
    assert (codes, out) == ((0, 1), f"{served}\n")
    assert err == f"{served}; for --scenario, --speed stop it first with: xenprof stop\n"


def test_an_unknown_scenario_is_exit_code_2_in_one_line(capsys, tmp_path):
    assert main(["serve", "--scenario", "nowhere", "--state-dir", str(tmp_path),
                 "--web.listen-address", "127.0.0.1:0"]) == 2  # fmt: skip
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["report", "--format", "flamegraf"], "flamegraph.svg"),
        (["report", "--by", "layer,domian"], "domain"),
        (["report", "--tree", "topdown"], "top-down"),
        (["trace", "-e", "shed", "t.bin"], "sched"),
    ],
)
def test_the_value_that_is_nearest_to_an_unknown_one_is_told(capsys, arguments, meant):
    main(arguments)

    assert capsys.readouterr().err.splitlines()[-1] == f"note: did you mean {meant}?"


def test_a_run_of_an_unknown_scenario_says_so_before_a_missing_option(capsys):
    main(["run", "--scenario", "nosuch"])

    assert capsys.readouterr().err.startswith("xenprof: no scenario 'nosuch'; built in: ")


def test_what_was_meant_is_looked_for_in_the_state_directory_named(capsys, tmp_path):
    (tmp_path / "domains/Domain-0/var/lib/oprofile/samples/current/{kern}").mkdir(parents=True)
    (tmp_path / "domains/.ids").write_text('{"0": "Domain-0"}')
    main(["report", "--state-dir", str(tmp_path), "--domain", "Domin-0"])

    assert capsys.readouterr().err.endswith("note: did you mean Domain-0?\n")
