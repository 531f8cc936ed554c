"""top, as procps 3.2.7 shows it: in batch mode, or refreshed in a terminal until `q`."""

import os
import select
import shutil
import sys
import threading

from xenprof.cli.console.command import CommandError, number, options_of
from xenprof.cli.console.guest import DomainGoneError, Guest
from xenprof.cli.console.procfiles import (
    HZ,
    Files,
    Process,
    named,
    processes,
    ticks,
    uptime_line,
    uptime_seconds,
)

USAGE = "usage: top -b | -d delay | -n iterations"
COLUMNS = "  PID USER      PR  NI  VIRT  RES  SHR S %CPU %MEM    TIME+  COMMAND"
_DELAY_SECONDS = 3.0
_POLL_SECONDS = 0.1
_FIELD_KIB = 100_000  # wider numbers of KiB are shown in MiB
_CLEAR, _HOME, _END_OF_LINE, _BELOW = "\x1b[2J", "\x1b[H", "\x1b[K", "\x1b[J"
_REVERSE, _PLAIN, _HIDE, _SHOW = "\x1b[7m", "\x1b[m", "\x1b[?25l", "\x1b[?25h"


def top(guest: Guest, words: list[str]) -> int:
    """Show tables; between two of them a delay passes on the guest's clock."""
    options, rest = options_of("top", words, "bd:n:", USAGE)
    if rest:
        raise CommandError(f"top: unknown argument '{rest[0]}'\n{USAGE}")
    delay = number("top", options.get("d", str(_DELAY_SECONDS)), USAGE, least=0.01)
    count = int(number("top", options["n"], USAGE, least=1)) if "n" in options else 0
    if "b" in options:
        return _batch(guest, delay, count)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError("top: failed tty get; use -b")
    return _screen(guest, delay, count)


def table(before: Files | None, after: Files) -> list[str]:
    """Return the lines of one table; None = since boot."""
    spent = ticks(after).since(None if before is None else ticks(before))
    whole = sum(spent) or 1
    names = ("us", "ni", "sy", "id", "wa", "hi", "si", "st")
    shares = dict(zip(names, (100 * part / whole for part in spent), strict=True))
    order = ("us", "sy", "ni", "id", "wa", "hi", "si", "st")
    memory = named(after["meminfo"])
    found = processes(after)
    running = sum(one.state == "R" for one in found)
    used = memory["MemTotal"] - memory["MemFree"]
    swapped = memory["SwapTotal"] - memory["SwapFree"]
    return [
        f"top -{uptime_line(after)}",
        f"Tasks: {len(found):3} total, {running:3} running, {len(found) - running:3} sleeping,"
        "   0 stopped,   0 zombie",
        "Cpu(s):" + ",".join(f"{shares[name]:5.1f}%{name}" for name in order),
        f"Mem:  {memory['MemTotal']:8}k total, {used:8}k used, {memory['MemFree']:8}k free, "
        f"{memory['Buffers']:8}k buffers",
        f"Swap: {memory['SwapTotal']:8}k total, {swapped:8}k used, {memory['SwapFree']:8}k free, "
        f"{memory['Cached']:8}k cached",
        "",
        COLUMNS,
        *_rows(before, after, found, max(1, memory["MemTotal"])),
    ]


def _rows(before: Files | None, after: Files, found: list[Process], total_kib: int) -> list[str]:
    old: dict[int, int] = {}
    seconds = uptime_seconds(after)
    if before is not None:
        old = {one.pid: one.ticks for one in processes(before)}
        seconds -= uptime_seconds(before)
    shares = {
        one.pid: 100 * (one.ticks - old.get(one.pid, 0)) / HZ / max(seconds, 0.01) for one in found
    }
    rows = []
    for one in sorted(found, key=lambda one: (-shares[one.pid], one.pid)):
        spent = one.ticks * 100 // HZ
        spent_text = f"{spent // 6000}:{spent // 100 % 60:02}.{spent % 100:02}"
        # Priorities and shared pages are not modelled: these are those of an ordinary task.
        rows.append(
            f"{one.pid:5} root      15   0 {_scaled(one.virtual_kib):>5} "
            f"{_scaled(one.resident_kib):>4} {0:4} {one.state} {min(shares[one.pid], 999):4.1f} "
            f"{100 * one.resident_kib / total_kib:4.1f} {spent_text:>9} {one.name}"
        )
    return rows


def _scaled(kib: int) -> str:
    return str(kib) if kib < _FIELD_KIB // 10 else f"{kib // 1024}m"


def _batch(guest: Guest, delay: float, count: int) -> int:
    before = None
    done = 0
    while not count or done < count:
        if done:
            guest.wait(delay)
        files = guest.files()
        print(*table(before, files), "", sep="\n", flush=True)
        before = files
        done += 1
    return 0


def _screen(guest: Guest, delay: float, count: int) -> int:
    """Draw tables in the terminal; `q` ends, a blank draws the next one at once."""
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    modes = termios.tcgetattr(descriptor)
    before = None
    done = 0
    try:
        tty.setcbreak(descriptor)
        sys.stdout.write(_HIDE + _CLEAR)
        while not count or done < count:
            files = guest.files()
            _draw(table(before, files))
            before = files
            done += 1
            if _pressed_q(guest, delay):
                break
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, modes)
        sys.stdout.write(_SHOW + "\n")
        sys.stdout.flush()
    return 0


def _draw(lines: list[str]) -> None:
    columns, height = shutil.get_terminal_size()
    shown = []
    for line in lines[: height - 1]:
        text = line[:columns]
        shown.append(f"{_REVERSE}{text:<{columns}}{_PLAIN}" if line == COLUMNS else text)
    ends = f"{_END_OF_LINE}\r\n"
    sys.stdout.write(_HOME + ends.join(shown) + _END_OF_LINE + _BELOW)
    sys.stdout.flush()


def _pressed_q(guest: Guest, delay: float) -> bool:
    """Let the delay pass, or less when a key is pressed; return whether it was `q`."""
    waiting = threading.Thread(target=_wait, args=(guest, delay), daemon=True)
    waiting.start()
    while waiting.is_alive():
        ready, _, _ = select.select([sys.stdin], [], [], _POLL_SECONDS)
        if ready:
            keys = os.read(sys.stdin.fileno(), 64)
            if b"q" in keys or not keys:
                return True
            if b" " in keys:
                return False
    return False


def _wait(guest: Guest, delay: float) -> None:
    from xenprof.client import ServiceError

    try:
        guest.wait(delay)
    except (ServiceError, DomainGoneError):
        return  # the next read raises the reason
