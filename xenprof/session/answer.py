"""Collects the output of opcontrol."""

from hypervisor.errors import OprofilefsError
from xenprof.wire.opcontrol import Outcome


class Answer:
    """Collects lines for stdout and stderr in order, and the exit code, 0 until an error."""

    def __init__(self) -> None:
        self._stdout: list[str] = []
        self._stderr: list[str] = []
        self.exit_code = 0

    def say(self, *lines: str) -> None:
        """Print on stdout."""
        self._stdout += lines

    def note(self, *lines: str) -> None:
        """Print on stderr without failing."""
        self._stderr += lines

    def fail(self, *lines: str) -> None:
        """Print on stderr, each line once however often a step fails, and set the exit code 1."""
        self._stderr += [line for line in lines if line not in self._stderr]
        self.exit_code = 1

    def take(self, other: "Answer") -> None:
        """Add what another answer has collected."""
        self.say(*other._stdout)
        self.note(*other._stderr)
        self.exit_code = max(self.exit_code, other.exit_code)

    def refuse(self, name: str, error: OprofilefsError) -> None:
        """Report a refused write to /dev/oprofile/`name` with errno and missing step."""
        self.fail(f"/dev/oprofile/{name}: {error.errno_text}: {error}")

    def outcome(self) -> Outcome:
        """Return all lines and the exit code."""
        return Outcome(tuple(self._stdout), tuple(self._stderr), self.exit_code)
