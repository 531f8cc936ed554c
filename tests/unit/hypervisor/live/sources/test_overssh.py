import sys
from contextlib import closing
from itertools import pairwise

import pytest

from hypervisor.live.agent.report.fields import to_json
from hypervisor.live.reports import MOST_BYTES
from hypervisor.live.sources.overssh import LONGEST_PAUSE_SECONDS, SSH, OverSsh
from hypervisor.live.sources.source import Unreachable
from tests.support.live.reports import report

ANSWERS = """
import sys
sys.stderr.write("Last login: today\\n")
sys.stderr.flush()
for line in sys.stdin:
    print(BODY, flush=True)
"""

PAGE = 4096
ANSWERS_UNREAD = f"""
import fcntl, os
fcntl.fcntl(0, fcntl.F_SETPIPE_SZ, {PAGE})
fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, {PAGE})
while True:
    os.write(1, (BODY + "\\n").rjust({PAGE}).encode())
"""
"""An answer fills the pipe, so the next is written when this one was taken, whatever is asked."""


class Hand:
    """A clock that the test sets."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


def source(code, clock=None, seconds=10):
    text = code.replace("BODY", repr(to_json(report())))
    program = (sys.executable, "-c", text)
    return OverSsh("xen1", timeout_seconds=seconds, program=program, clock=clock or Hand())


def failure(asked):
    with pytest.raises(Unreachable) as failed:
        asked.read()
    return str(failed.value)


def test_a_line_asks_and_a_line_answers():
    with closing(source(ANSWERS)) as asked:
        assert [report()] * 3 == [asked.read() for _ in range(3)]


def test_the_agent_is_started_without_a_shell_of_ours_and_with_no_options_of_the_name(tmp_path):
    code = f"import sys; open({str(tmp_path / 'words')!r}, 'w').write(repr(sys.argv[1:]))"
    with closing(source(code)) as asked:
        failure(asked)

    assert "['xen1', '--', 'xenprof-agent', '--pipe']" == (tmp_path / "words").read_text()
    assert "BatchMode=yes" in SSH


def test_the_last_words_of_ssh_are_the_reason():
    code = "import sys; sys.exit('a banner\\nHost key verification failed.\\x1b[2J')"
    with closing(source(code)) as asked:
        assert r"Host key verification failed.\x1b[2J" == failure(asked)


@pytest.mark.parametrize(
    ("code", "seconds", "told"),
    [
        ("import sys; sys.stdin.readline()", 60, "it ended"),
        ("import sys; sys.stdin.read()", 0.6, "timed out"),
        (
            "import sys; print('hello', flush=True); sys.stdin.read()",
            60,
            "the report: Invalid JSON",
        ),
        (f"print(' ' * {MOST_BYTES + 1}, flush=True)", 60, "a report is at most 32 MiB"),
        ("import sys\nwhile True: sys.stderr.write('\\n' * 9999)", 0.6, "timed out"),
    ],
    ids=["ends", "silent", "talks", "large", "floods"],
)
def test_a_child_that_does_not_answer_with_a_report_is_ended(code, seconds, told):
    with closing(source(code, seconds=seconds)) as asked:
        assert failure(asked).startswith(told)
        assert asked._child is None


def test_a_child_that_answers_without_reading_is_ended():
    """The pipe of questions is full at last."""
    with closing(source(ANSWERS_UNREAD)) as asked:
        with pytest.raises(Unreachable) as failed:
            for _ in range(PAGE):
                asked.read()
        assert "it does not read what it is asked" == str(failed.value)


def test_a_program_that_is_not_there_is_the_reason():
    asked = OverSsh("xen1", timeout_seconds=1, program=("/nonexistent/ssh",))

    assert "/nonexistent/ssh: No such file or directory" == failure(asked)


def test_it_is_started_again_with_pauses_that_grow(tmp_path):
    clock, log = Hand(), tmp_path / "log"
    log.touch()
    asked = source(f"open({str(log)!r}, 'a').write('.')", clock)
    starts: list[float] = []
    for _ in range(200):
        failure(asked)
        if len(log.read_text()) > len(starts):
            starts.append(clock.seconds)
        clock.seconds += 1
    pauses = [round(later - earlier) for earlier, later in pairwise(starts)]

    assert [1, 2, 4, 8, 16, 32, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS] == pauses


def test_after_a_report_the_pause_is_short_again():
    clock = Hand()
    asked = source(
        ANSWERS.replace("print(BODY, flush=True)", "print(BODY, flush=True); break"), clock
    )
    for _ in range(5):
        assert report() == asked.read()
        failure(asked)
        clock.seconds += 1
    asked.close()
