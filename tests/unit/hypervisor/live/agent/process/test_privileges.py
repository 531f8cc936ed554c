"""What is given up is given up for ever, so it is tried in a process of its own."""

import os
import subprocess
import sys

import pytest

from hypervisor.live.agent.process.privileges import without
from tests.support.paths import ROOT

PROGRAM = """\
import threading
from hypervisor.live.agent.process.privileges import give_up
print(give_up())
def show():
    print(*(line.strip() for line in open("/proc/thread-self/status") if line.startswith(("Cap", "NoNew"))))
thread = threading.Thread(target=show)
thread.start()
thread.join()
"""


def status_after(program):
    """Return what is kept, and the capabilities of another thread: in hexadecimal, by set."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    kept, status = done.stdout.splitlines()[-2:]
    words = status.split()
    return kept, dict(zip(words[::2], words[1::2], strict=True))


@pytest.mark.skipif(os.getuid() != 0, reason="only root has capabilities to keep")
def test_some_can_be_kept():
    kept, status = status_after(PROGRAM.replace("give_up()", "give_up(but=(1, 3))"))

    assert ("[]", 0b1010, 0b1010, 0) == (
        kept,
        int(status["CapEff:"], 16),
        int(status["CapPrm:"], 16),
        int(status["CapInh:"], 16),
    )


RECORDING = """\
import sys, threading
from tests.support.live.fake_privcmd import FakePrivcmd
from hypervisor.live.agent.recording import {module}
{module}.PrivcmdDevice = FakePrivcmd
{module}.main([sys.argv[1], {option!r}, "0"])
print([])
print(*(line.strip() for line in open("/proc/thread-self/status") if line.startswith(("Cap", "NoNew"))))
"""


@pytest.mark.parametrize(("module", "option"), [("trace", "-T"), ("contexts", "--for")])
def test_who_records_keeps_what_names_files_and_no_more(tmp_path, module, option):
    program = RECORDING.format(module=module, option=option).replace(
        "sys.argv[1]", repr(str(tmp_path / "a"))
    )
    _, status = status_after(program)

    assert (0, "1") == (int(status["CapEff:"], 16) & ~0b1010, status["NoNewPrivs:"])


def test_no_thread_has_a_capability_or_can_have_one():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    kept, status = done.stdout.splitlines()

    assert "[]" == kept
    assert {"0" * 16, "1"} == {word for word in status.split() if not word.endswith(":")}


@pytest.mark.skipif(os.getuid() != 0, reason="only root has capabilities to do without")
def test_what_is_done_without_capabilities_is_refused_what_they_allow(tmp_path):
    file = tmp_path / "key"
    file.touch(0o600)
    os.chown(file, 65534, 65534)

    with pytest.raises(PermissionError):
        without(lambda: file.open().close())
    file.open().close()
