"""Workloads are imported late in a run, and all at once where a process lives longer."""

import subprocess
import sys

import pytest

PROGRAM = """
import pkgutil, sys
import hypervisor.model.machine
from hypervisor.model import workloads
{call}
names = {{one.name for one in pkgutil.walk_packages(workloads.__path__, workloads.__name__ + ".")}}
print(*sorted(names - sys.modules.keys()))
"""


def missing(call):
    """Return the modules of workloads that a new process has not imported after a call."""
    command = [sys.executable, "-c", PROGRAM.format(call=call)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_import_all_leaves_nothing_to_import_later():
    assert [] == missing("workloads.import_all()")


@pytest.mark.parametrize("kind", ["aim7.benchmark", "oltp.benchmark", "web.server"])
def test_what_few_guests_run_is_not_imported_before(kind):
    assert f"hypervisor.model.workloads.{kind}" in missing("")
