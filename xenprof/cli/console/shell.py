"""Runs lines: finds commands, keeps the exit status, prints failures."""

import contextlib
import sys
from collections.abc import Callable, Mapping

from xenprof.cli.console import acting
from xenprof.cli.console.command import Command, CommandError
from xenprof.cli.console.filters import FILTERS, Captured, EnoughError, filtered, limit_of
from xenprof.cli.console.grammar import BadSyntaxError, Step, expand, parse
from xenprof.cli.console.guest import Guest
from xenprof.client import ServiceError, ServiceNotRunning
from xenprof.errors import XenprofError

NOT_FOUND = 127
BAD_SYNTAX = 2
INTERRUPTED = 130


class Leave(XenprofError):
    """The user leaves the shell."""


class Shell:
    """A shell in `guest`; `status` is that of the last command."""

    def __init__(
        self, guest: Guest, commands: Mapping[str, Command], help_text: Callable[[], str]
    ) -> None:
        """`help_text` is what `help` prints."""
        self.guest = guest
        self.status = 0
        self._commands = commands
        self._help_text = help_text

    def run_line(self, line: str) -> None:
        """Run the commands of a line. Raises: Leave, DomainGoneError, ServiceNotRunning."""
        try:
            steps = parse(line)
            for step in steps:
                self._check(step)
        except BadSyntaxError as error:
            self._fail(f"-bash: {error}", BAD_SYNTAX)
            return
        for step in steps:
            if step.condition == ";" or (step.condition == "&&") == (self.status == 0):
                self._run_step(step)

    @property
    def _variables(self) -> Mapping[str, str]:
        return {
            "?": str(self.status),
            "HOSTNAME": self.guest.name,
            "HOME": "/root",
            "USER": "root",
        }

    def _check(self, step: Step) -> None:
        for words in step.filters:
            name = expand(words[0], self._variables)
            if name not in FILTERS:
                *names, last = FILTERS
                known = f"{', '.join(names)} and {last}"
                raise BadSyntaxError(f"`| {name}' is not understood here: only {known} are")

    def _run_step(self, step: Step) -> None:
        variables = self._variables
        words = [expand(word, variables) for word in step.words]
        try:
            if step.target is None and not step.filters:
                self.status = self._run(words)
            else:
                filters = [[expand(word, variables) for word in one] for one in step.filters]
                target = None if step.target is None else expand(step.target, variables)
                self._captured(words, filters, target)
        except KeyboardInterrupt:
            print()
            self.status = INTERRUPTED
        except CommandError as error:
            self._fail(str(error), error.status)
        except ServiceNotRunning:
            raise
        except ServiceError as error:
            self._fail(f"{words[0]}: {error}", error.exit_code)
        sys.stdout.flush()

    def _captured(self, words: list[str], filters: list[list[str]], target: str | None) -> None:
        """Run a command; its output goes through `filters` to a file or to the user."""
        output = Captured(limit_of(filters[0]) if filters else None)
        with contextlib.redirect_stdout(output), contextlib.suppress(EnoughError):
            self.status = self._run(words)
        text = output.getvalue()
        for one in filters:
            text, self.status = filtered(text, one)
        if target is None:
            sys.stdout.write(text)
        else:
            acting.write(self.guest, target, text)

    def _run(self, words: list[str]) -> int:
        name, rest = words[0], words[1:]
        if name in ("exit", "logout"):
            self._leave(name, rest)
        if name == "help":
            print(self._help_text())
            return 0
        command = self._commands.get(name)
        if command is None:
            raise CommandError(f"-bash: {name}: command not found", NOT_FOUND)
        state = self.guest.state()
        if state.paused:
            raise CommandError(f"{name}: the domain is paused")
        if state.shutdown or state.crashed or state.dying:
            raise CommandError(f"{name}: the domain has shut down")
        return command.run(self.guest, rest)

    def _leave(self, name: str, words: list[str]) -> None:
        if words:
            if not (words[0].isascii() and words[0].isdigit()):
                print(f"-bash: {name}: {words[0]}: numeric argument required", file=sys.stderr)
                words = ["255"]
            self.status = int(words[0][-18:]) & 255
        elif self.status == INTERRUPTED:
            self.status = 0  # a command that the user interrupts does not end the session
        raise Leave

    def _fail(self, message: str, status: int) -> None:
        sys.stdout.flush()
        print(message, file=sys.stderr)
        self.status = status
