"""iostat, as sysstat 7.0.0 prints it."""

from xenprof.cli.console.command import delay_and_count, options_of
from xenprof.cli.console.guest import Guest
from xenprof.cli.console.procfiles import DiskCounts, Files, disks, now, ticks, uptime_seconds

USAGE = "Usage: iostat [ -c | -d ] [ -k ] [ -t ] [ -x ] [ <interval> [ <count> ] ]"
_CPU_HEAD = "avg-cpu:  %user   %nice %system %iowait  %steal   %idle"
_NO_DISK = DiskCounts(*[0] * 11)


def iostat(guest: Guest, words: list[str]) -> int:
    """Print a report since boot, then one for each interval."""
    options, rest = options_of("iostat", words, "cdktx", USAGE)
    delay, count = delay_and_count("iostat", rest, USAGE)
    before = None
    done = 0
    while not count or done < count:
        if done:
            guest.wait(delay)
        files = guest.files()
        if not done:
            print(banner(files, guest.name) + "\n")
        if "t" in options:
            print(f"Time: {now(files):%I:%M:%S %p}")
        print(report(before, files, "".join(options)), flush=True)
        before = files
        done += 1
    return 0


def banner(files: Files, name: str) -> str:
    """Return the first line of the output."""
    release = files["version"].split()[2]
    return f"Linux {release} ({name}) \t{now(files):%m/%d/%Y}"


def report(before: Files | None, after: Files, options: str = "") -> str:
    """Return one report with the blank lines at its end; None = since boot."""
    lines = []
    if "d" not in options:
        spent = ticks(after).since(None if before is None else ticks(before))
        whole = sum(spent) or 1
        system = spent.system + spent.irq + spent.softirq
        parts = (spent.user, spent.nice, system, spent.iowait, spent.steal, spent.idle)
        lines += [
            _CPU_HEAD,
            " " * 9 + "  ".join(f"{100 * part / whole:6.2f}" for part in parts),
            "",
        ]
    if "c" not in options:
        seconds = uptime_seconds(after) - (0 if before is None else uptime_seconds(before))
        old = {} if before is None else disks(before)
        row = _extended if "x" in options else _plain
        lines.append(_head(options))
        for name, counts in disks(after).items():
            grown = DiskCounts(
                *(a - b for a, b in zip(counts, old.get(name, _NO_DISK), strict=True))
            )
            lines.append(f"{name:<13} {row(grown, max(seconds, 0.01), 'k' in options)}")
        lines.append("")
    return "\n".join(lines)


def _head(options: str) -> str:
    if "x" in options:
        units = "   rkB/s    wkB/s" if "k" in options else "  rsec/s   wsec/s"
        return (
            f"Device:         rrqm/s   wrqm/s   r/s   w/s {units} "
            "avgrq-sz avgqu-sz   await  svctm  %util"
        )
    unit = " kB" if "k" in options else "Blk"
    return f"Device:            tps   {unit}_read/s   {unit}_wrtn/s   {unit}_read   {unit}_wrtn"


def _plain(grown: DiskCounts, seconds: float, in_kib: bool) -> str:
    share = 2 if in_kib else 1
    read, written = grown.read_sectors // share, grown.written_sectors // share
    operations = grown.reads + grown.writes
    return (
        f"{operations / seconds:8.2f} {grown.read_sectors / share / seconds:12.2f} "
        f"{grown.written_sectors / share / seconds:12.2f} {read:10} {written:10}"
    )


def _extended(grown: DiskCounts, seconds: float, in_kib: bool) -> str:
    share = 2 if in_kib else 1
    operations = grown.reads + grown.writes
    sectors = grown.read_sectors + grown.written_sectors
    size = wait_ms = service_ms = 0.0
    if operations:
        size = sectors / operations
        wait_ms = (grown.read_ms + grown.write_ms) / operations
        service_ms = grown.busy_ms / operations
    return (
        f"{grown.reads_merged / seconds:8.2f} {grown.writes_merged / seconds:8.2f} "
        f"{grown.reads / seconds:5.2f} {grown.writes / seconds:5.2f} "
        f"{grown.read_sectors / share / seconds:8.2f} "
        f"{grown.written_sectors / share / seconds:8.2f} {size:8.2f} "
        f"{grown.queue_ms / 1000 / seconds:8.2f} {wait_ms:7.2f} {service_ms:6.2f} "
        f"{grown.busy_ms / 10 / seconds:6.2f}"
    )
