"""vmstat, as procps 3.2.7 prints it: processes, memory, swap, disks, interrupts, CPU with steal."""

import shutil
from collections.abc import Mapping

from xenprof.cli.console.command import delay_and_count, options_of
from xenprof.cli.console.guest import Guest
from xenprof.cli.console.procfiles import Files, named, ticks, uptime_seconds

USAGE = "usage: vmstat [-n] [delay [count]]"
HEAD = (
    "procs -----------memory---------- ---swap-- -----io---- --system-- -----cpu------",
    " r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st",
)
_PAGE_KIB = 4
_HEAD_LINES = 3


def vmstat(guest: Guest, words: list[str]) -> int:
    """Print a line since boot, then one for each delay."""
    options, rest = options_of("vmstat", words, "n", USAGE)
    delay, count = delay_and_count("vmstat", rest, USAGE)
    height = max(1, shutil.get_terminal_size().lines - _HEAD_LINES)
    before = None
    done = 0
    while not count or done < count:
        if done:
            guest.wait(delay)
        if not done or (not done % height and "n" not in options):
            print(*HEAD, sep="\n")
        files = guest.files()
        print(line(before, files), flush=True)
        before = files
        done += 1
    return 0


def line(before: Files | None, after: Files) -> str:
    """Return the line for what has happened between two readings; None = since boot.

    Rates are per second of the time that really passed; the original divides by the delay asked
    for, and in its first line by the time of all CPUs together.
    """
    stat, memory, pages = (named(after[name]) for name in ("stat", "meminfo", "vmstat"))
    old_stat: Mapping[str, int] = {}
    old_pages: Mapping[str, int] = {}
    seconds = uptime_seconds(after)
    if before is not None:
        old_stat, old_pages = named(before["stat"]), named(before["vmstat"])
        seconds -= uptime_seconds(before)

    def rate(name: str, factor: int = 1) -> int:
        grown = pages[name] - old_pages.get(name, 0)
        return round(grown * factor / seconds) if seconds > 0 else 0

    spent = ticks(after).since(None if before is None else ticks(before))
    whole = sum(spent) or 1
    shares = (
        spent.user + spent.nice,
        spent.system + spent.irq + spent.softirq,
        spent.idle,
        spent.iowait,
        spent.steal,
    )
    cells = [
        f"{max(0, stat['procs_running'] - 1):2} {stat['procs_blocked']:2}",
        f"{memory['SwapTotal'] - memory['SwapFree']:6} {memory['MemFree']:6}",
        f"{memory['Buffers']:6} {memory['Cached']:6}",
        f"{rate('pswpin', _PAGE_KIB):4} {rate('pswpout', _PAGE_KIB):4}",
        f"{rate('pgpgin'):5} {rate('pgpgout'):5}",
        _per_second(stat, old_stat, "intr", seconds),
        _per_second(stat, old_stat, "ctxt", seconds),
        *(f"{(100 * share + whole // 2) // whole:2}" for share in shares),
    ]
    return " ".join(cells)


def _per_second(stat: Mapping[str, int], old: Mapping[str, int], name: str, seconds: float) -> str:
    """Return a rate per second; a dash where the guest does not know the count."""
    if name not in stat:
        return f"{'-':>4}"
    grown = stat[name] - old.get(name, 0)
    return f"{round(grown / seconds) if seconds > 0 else 0:4}"
