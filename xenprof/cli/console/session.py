"""A session at a console: in a terminal with prompt and history, or with lines from a file."""

import sys
from collections.abc import Iterable
from io import TextIOWrapper
from pathlib import Path

from hypervisor.telemetry import HostSnapshot
from xenprof.cli.console.grammar import is_continued
from xenprof.cli.console.guest import DomainGoneError, Guest
from xenprof.cli.console.shell import INTERRUPTED, Leave, Shell
from xenprof.cli.console.watch import GuestSpokeError, Watch, begun_with, typed_line
from xenprof.cli.notes import note_what_was_meant
from xenprof.cli.stdout import ends_well
from xenprof.client import Client, Service, ServiceError
from xenprof.home import DOMAIN_0_ID, home
from xenprof.wire.answers import ManagedDomains
from xenprof.wire.paths import MANAGED, SNAPSHOT

HISTORY_NAME = "console_history"
_CLEAR_LINE = "\r\x1b[K"
_HISTORY_LINES = 1000  # HISTSIZE of RHEL 5's bash


@ends_well("console")
def connect(name: str, *, is_login: bool, client: Service | None = None) -> int:
    """Open the console of the domain of this name or id; return the exit code.

    `is_login` stands for a login over the network, which domain 0 allows too.
    """
    from xenprof.cli.console.table import COMMANDS, help_text

    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # names and pasted text may be any bytes
            stream.reconfigure(errors="surrogateescape")
    try:
        guest = _find(client or Client(home()), name)
        if guest.domid == DOMAIN_0_ID and not is_login:
            raise DomainGoneError  # domain 0 has no node console/tty
        guest.client.get(MANAGED, ManagedDomains)  # refused where nobody manages domains
        shell = Shell(guest, COMMANDS, help_text)
        if sys.stdin.isatty():
            Terminal(shell, home() / HISTORY_NAME).run()
        else:
            run_script(shell, sys.stdin)
        return shell.status
    except (DomainGoneError, ServiceError) as error:
        sys.stdout.flush()
        print(error, file=sys.stderr)
        note_what_was_meant(str(error))
        return 1
    except KeyboardInterrupt:
        print()
        return INTERRUPTED


def _find(client: Service, name: str) -> Guest:
    domains = client.get(SNAPSHOT, HostSnapshot).domains
    found = [one for one in domains if one.name == name]
    found += [one for one in domains if str(one.domid) == name]
    if not found:
        raise ServiceError(f"Error: Domain '{name}' does not exist.", type="UnknownDomain")
    return Guest(client, found[0].domid, found[0].name)


def run_script(shell: Shell, lines: Iterable[str]) -> None:
    """Run lines without prompts; return the status of the last command."""
    pending = ""
    try:
        for line in lines:
            text = line.removesuffix("\n").removesuffix("\r")
            if is_continued(text):
                pending += text[:-1]
                continue
            shell.run_line(pending + text)
            if shell.status == INTERRUPTED:  # as bash treats a script
                return
            pending = ""
        if pending:
            shell.run_line(pending)
    except Leave:
        return


class Terminal:
    """Prompts for lines, edits and remembers them; shows what the guest writes meanwhile."""

    def __init__(self, shell: Shell, history: Path) -> None:
        """`history` is the file of earlier lines."""
        self._shell = shell
        self._history = history
        self._watch = Watch(shell.guest)

    def run(self) -> None:
        """Read and run lines until the user leaves. Raises: DomainGoneError."""
        self._begin_editing()
        try:
            while True:
                try:
                    self._show(self._watch.look())
                    self._shell.run_line(self._read())
                except KeyboardInterrupt:
                    print("^C")
        except EOFError:
            print()
            if self._shell.status == INTERRUPTED:
                self._shell.status = 0
        except (DomainGoneError, ServiceError):
            print()
            raise
        except Leave:
            pass
        finally:
            self._save_history()

    def _show(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def _read(self) -> str:
        """Return a line joined with its continuation lines."""
        prompt, text = f"[root@{self._shell.guest.name} ~]# ", ""
        line = self._read_line(prompt)
        while is_continued(line):
            text += line[:-1]
            line = self._read_line("> ")
        self._remember(text + line)
        return text + line

    def _read_line(self, prompt: str) -> str:
        """Return one line; what the guest writes meanwhile is shown above it."""
        typed = ""
        while True:
            try:
                with begun_with(typed), self._watch.polling(typed_line):
                    return input(prompt)
            except GuestSpokeError as spoke:
                self._show(_CLEAR_LINE + spoke.text)
                typed = spoke.typed

    def _begin_editing(self) -> None:
        try:
            import readline
        except ImportError:
            return
        readline.set_auto_history(False)
        readline.set_history_length(_HISTORY_LINES)
        # Ctrl-] leaves, as in xenconsole; the blank keeps that line out of the history.
        readline.parse_and_bind(r'"\C-]": "\C-a\C-k exit 0\C-m"')
        try:
            readline.read_history_file(self._history)
        except OSError:
            return  # there is no history yet

    def _remember(self, line: str) -> None:
        readline = sys.modules.get("readline")
        if readline is not None and line.strip() and not line.startswith(" "):
            readline.add_history(line)

    def _save_history(self) -> None:
        readline = sys.modules.get("readline")
        if readline is None:
            return
        try:
            readline.write_history_file(self._history)
        except OSError:
            return  # a full disk loses the history and nothing else
