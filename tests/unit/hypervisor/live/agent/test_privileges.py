"""What is given up is given up for ever, so it is tried in a process of its own."""

import subprocess
import sys

from tests.support.paths import ROOT

PROGRAM = """\
import threading
from hypervisor.live.agent.privileges import give_up
print(give_up())
def show():
    print(*(line.strip() for line in open("/proc/thread-self/status") if line.startswith(("Cap", "NoNew"))))
thread = threading.Thread(target=show)
thread.start()
thread.join()
"""


def test_no_thread_has_a_capability_or_can_have_one():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    kept, status = done.stdout.splitlines()

    assert "[]" == kept
    assert {"0" * 16, "1"} == {word for word in status.split() if not word.endswith(":")}
