"""Defines commands of virsh, and parses lines of them.

    line     commands joined by `;`
    command  name, then data and options in any order
    option   --name | --name DATA | --name=DATA
    data     a word, or words in double quotes

Source: libvirt, src/virsh.c; the messages are its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from xenprof.cli.virsh.connection import Connection
from xenprof.cli.virsh.errors import VirshError


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command: `--name`, or data that may be given without its name."""

    name: str
    help: str
    is_flag: bool = False
    is_required: bool = True

    @property
    def label(self) -> str:
        """Return the option as help shows it."""
        return f"--{self.name}" if self.is_flag else f"<{self.name}>"


@dataclass(frozen=True, slots=True)
class Command:
    """A command; `run` raises VirshError or ServiceError if it fails."""

    name: str
    help: str
    run: Callable[[Connection, Mapping[str, str]], None]
    options: tuple[Option, ...] = ()
    description: str = ""
    syntax: str = ""

    @property
    def synopsis(self) -> str:
        """Return the usage line."""
        if self.syntax:
            return self.syntax
        return " ".join([self.name, *(option.label for option in self.options)])


Call = tuple[Command, dict[str, str]]


def parse_line(line: str, commands: Mapping[str, Command]) -> list[Call]:
    """Return the commands of a line with their options by name; flags have an empty value.

    Raises: VirshError for the first command that is wrong; then none of them may run.
    """
    calls = []
    for words in _split(line):
        (is_option, name), *rest = words
        if is_option:
            raise VirshError(f"unexpected token (command name): '{name}'")
        if name not in commands:
            raise VirshError(f"unknown command: '{name}'")
        calls.append((commands[name], _bind(commands[name], rest)))
    return calls


Word = tuple[bool, str]  # (whether it is an option's name, its text)


def _bind(command: Command, words: Sequence[Word]) -> dict[str, str]:
    found: dict[str, str] = {}
    options = {option.name: option for option in command.options}
    data = [option for option in command.options if not option.is_flag]
    position = 0
    rest = iter(words)
    for is_option, text in rest:
        if not is_option:
            if position >= len(data):
                raise VirshError(f"unexpected data '{text}'")
            found.setdefault(data[position].name, text)
            position += 1
        elif text not in options:
            raise VirshError(f"command '{command.name}' doesn't support option --{text}")
        elif options[text].is_flag:
            found[text] = ""
        else:
            value_is_option, value = next(rest, (True, ""))
            if value_is_option:
                raise VirshError(f"expected syntax: --{text} <string>")
            found[text] = value
    missing = [option for option in data if option.is_required and not found.get(option.name)]
    if missing:
        raise VirshError(
            "\nerror: ".join(
                f"command '{command.name}' requires <{option.name}> option" for option in missing
            )
        )
    return found


def _split(line: str) -> list[list[Word]]:
    """Return the words of each command that is not empty."""
    commands: list[list[Word]] = [[]]
    position = 0
    while position < len(line):
        character = line[position]
        if character in " \t\r\n":
            position += 1
        elif character == ";":
            commands.append([])
            position += 1
        else:
            word, position = _word(line, position)
            commands[-1].append(word)
    return [words for words in commands if words]


def _word(line: str, start: int) -> tuple[Word, int]:
    if line[start] == '"':
        end = line.find('"', start + 1)
        if end < 0:
            raise VirshError('missing "')
        return (False, line[start + 1 : end]), end + 1
    is_option = line.startswith("--", start) and line[start + 2 : start + 3].isalnum()
    if is_option:
        start += 2
    end = start
    while end < len(line) and line[end] not in " \t\r\n;" and not (is_option and line[end] == "="):
        end += 1
    skipped = 1 if line[end : end + 1] == "=" else 0
    return (is_option, line[start:end]), end + skipped
