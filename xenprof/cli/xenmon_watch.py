"""Shows xenmon's numbers on the screen, or writes them to log files."""

import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from xenprof.cli.trace_client import TraceClient
from xenprof.errors import UsageError
from xenprof.trace.forms import form_named
from xenprof.trace.xenmon import KEEP_NS, SAMPLE_NS, Reducer
from xenprof.trace.xenmon_text import LABELS, LOG_HEADER, log_name, log_row, screen

_REFRESH_NS = 1_000_000_000
_CLEAR = "\x1b[H\x1b[2J"


class Watch:
    """A reader of the trace that sums up the records as they come."""

    def __init__(
        self, reader: TraceClient, sample_ns: int = SAMPLE_NS, keep_ns: int = KEEP_NS
    ) -> None:
        """`reader` is running; samples are kept for ten seconds, or `keep_ns` if longer."""
        self._reader = reader
        self._reducer = Reducer(reader.mhz, reader.start_ns, sample_ns, max(keep_ns, KEEP_NS))
        self._sample_ns = sample_ns
        self._decode = form_named(reader.form).decode

    def _pass(self, ns: int) -> None:
        self._reader.wait(ns)
        data, now_ns = self._reader.read()
        self._reducer.add(self._decode(data), now_ns)

    def log(self, prefix: str, duration_ns: int, interval_ns: int) -> None:
        """Append a row to each domain's file every `interval_ns`."""
        sample_ns = self._sample_ns
        begin_ns = -(-self._reader.start_ns // sample_ns) * sample_ns  # only whole samples
        end_ns = begin_ns + duration_ns
        with contextlib.ExitStack() as opened:
            files: dict[int, IO[str]] = {}
            while begin_ns + interval_ns <= end_ns:
                until_ns = begin_ns + interval_ns
                while self._reducer.now_ns < until_ns:
                    self._pass(min(_REFRESH_NS, until_ns - self._reducer.now_ns))
                usage = self._reducer.usage_between(begin_ns, until_ns)
                for (pcpu, domid), one in usage.items():
                    if domid not in files:
                        files[domid] = opened.enter_context(_log_file(prefix, domid))
                    print(log_row(pcpu, domid, one), file=files[domid], flush=True)
                begin_ns = until_ns

    def show(self, pcpu: int, pcpus: int, screens: int | None) -> None:
        """Show one pcpu's domains every second until `q`, or a given number of times."""
        if pcpu >= pcpus:
            raise UsageError(f"xenmon: --cpu {pcpu}: the host has cpus 0 to {pcpus - 1}")
        is_terminal = sys.stdout.isatty()
        shown = 0
        with _keys() as key:
            while screens is None or shown < screens:
                self._pass(_REFRESH_NS)
                pressed = key()
                if pressed == "q":
                    return
                pcpu = (pcpu + {"c": 1, "n": 1, "p": -1}.get(pressed, 0)) % pcpus
                lines = screen(
                    pcpu, self._reducer.usage(10 * 10**9), self._reducer.usage(10**9), LABELS
                )
                print(_CLEAR if is_terminal else "", end="")
                print("\n".join(lines))
                if self._reducer.lost:
                    print(f"Lost records: {self._reducer.lost}")
                sys.stdout.flush()
                shown += 1


def _log_file(prefix: str, domid: int) -> IO[str]:
    name = log_name(prefix, domid)
    try:
        file = Path(name).open("w", encoding="ascii")  # noqa: SIM115 - the caller closes it
        print(LOG_HEADER, file=file)
    except OSError as error:
        raise UsageError(f"xenmon: {name}: {error.strerror or error}") from None
    return file


class _Keys:
    """Returns the key pressed since the last call, or nothing."""

    def __init__(self, has_keys: bool) -> None:
        self._has_keys = has_keys

    def __call__(self) -> str:
        if not self._has_keys or not select.select([sys.stdin], [], [], 0)[0]:
            return ""
        return os.read(sys.stdin.fileno(), 1).decode("ascii", "replace").lower()


@contextlib.contextmanager
def _keys() -> Iterator[_Keys]:
    """Make keys arrive without Enter while the body runs, if there is a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield _Keys(False)
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin.fileno())
    try:
        yield _Keys(True)
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
