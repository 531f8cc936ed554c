"""Which modules may import which, and what a program that must start fast does not import."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

HEAVY = {
    "capstone", "click", "dask", "elftools", "grpc", "opentelemetry", "prometheus_client", "pydantic",
    "distributed", "matplotlib", "requests", "rich", "starlette", "textual", "uvicorn", "yaml",
}  # fmt: skip


def loaded_by(home, module, *arguments):
    """Return the top-level packages that a program has imported at its end."""
    code = (
        "import contextlib, io, json, sys\n"
        f"from {module} import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
        f"    main({list(arguments)!r})\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"XENPROF_HOME": str(home), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


def test_the_layers_hold():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("xenprof.cli.opreport", ["--help"]),
        ("xenprof.cli.opreport", ["-l"]),
        ("xenprof.cli.opcontrol", ["--status"]),
        ("xenprof.cli.opcontrol", ["--start", "--no-vmlinux"]),
        ("xenprof.cli.ophelp", ["--cpu-type", "i386/p4-ht"]),
        ("xenprof.cli.xm.program", ["list"]),
        ("xenprof.cli.xm.program", ["top", "-b", "-i", "1"]),
        ("xenprof.cli.main", ["xm", "list"]),
    ],
)
def test_programs_that_start_fast_leave_large_libraries_alone(tmp_path, module, arguments):
    assert loaded_by(tmp_path, module, *arguments) & HEAVY == set()


@pytest.mark.parametrize(
    ("module", "argument"),
    [
        ("xenprof.cli.xm.program", "--help"),
        ("xenprof.cli.xm.program", "list"),
        ("xenprof.cli.opcontrol", "--help"),
        ("xenprof.cli.opcontrol", "--status"),
        ("xenprof.cli.virsh", "list"),
        ("xenprof.cli.console", "web"),
    ],
)
def test_programs_that_only_talk_to_the_service_do_without_numpy(tmp_path, module, argument):
    assert "numpy" not in loaded_by(tmp_path, module, argument)


def test_only_four_modules_name_the_model():
    """Strings count too: a module imported from one would escape the contracts."""
    named = [
        str(path.relative_to(ROOT))
        for package in ("xenprof", "exporters", "dashboards")
        for path in sorted((ROOT / package).rglob("*.py"))
        if "hypervisor.model" in path.read_text(encoding="utf-8")
    ]

    assert named == [
        "xenprof/cli/run.py",
        "xenprof/experiment/model.py",
        "xenprof/service/driver.py",
        "xenprof/validate/hosts.py",
    ]


def test_a_run_without_a_profile_leaves_numpy_alone_too(tmp_path):
    loaded = loaded_by(tmp_path, "xenprof.cli.main", "run", "--for", "1ms", "--json")
    assert loaded & {"numpy", *HEAVY} == {"click", "pydantic"}
