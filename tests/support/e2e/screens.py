"""Programs with a screen, each in a terminal of its own, that all end with a test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from tests.support.e2e.host import environment
from tests.support.e2e.terminal import Terminal, program


class Start(Protocol):
    """Starts the program with options; it is ready when its last line is shown."""

    def __call__(
        self, *options: str, home: Path | None = None, size: tuple[int, int] = (80, 24)
    ) -> Terminal:
        """Return the terminal of the program, in front of another home if wanted."""
        ...


@contextmanager
def screens(*words: str, home: Path, last_line: str) -> Iterator[Start]:
    """Give what starts a program in front of the service of `home`."""
    name, *arguments = words
    usual = home
    with ExitStack() as opened:

        def start(
            *options: str, home: Path | None = None, size: tuple[int, int] = (80, 24)
        ) -> Terminal:
            terminal = Terminal(
                program(name),
                *arguments,
                *options,
                environment=environment(home or usual),
                size=size,
            )
            opened.callback(terminal.close)
            terminal.until(lambda lines: lines[-1] == last_line)
            return terminal

        yield start


def starts(text: str) -> Callable[[list[str]], bool]:
    """Return whether a line of a screen starts with `text`, for `Terminal.until`."""
    return lambda lines: any(line.startswith(text) for line in lines)
