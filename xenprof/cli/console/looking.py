"""Small commands that show something: cat, ls, free, uptime, ps, dmesg, uname, id, date, echo."""

import re
import sys
from datetime import UTC, datetime

from xenprof.cli.console.command import CommandError, options_of
from xenprof.cli.console.guest import Guest
from xenprof.cli.console.procfiles import HZ, Files, disks, named, processes, uptime_line
from xenprof.client import ServiceError

_UNITS = {"b": (1024, 1), "k": (1, 1), "m": (1, 1024), "g": (1, 1024 * 1024)}


_RELEASE = "Red Hat Enterprise Linux Server release 5 (Tikanga)\n"
# Lines of init and getty on the console: they are not messages of the kernel.
_INITS = re.compile(r"INIT: |$|Red Hat Enterprise Linux |Kernel \S+ on an |\S+ login: ")


def cat(guest: Guest, words: list[str]) -> int:
    """Print files: those below /proc and /sys, and the one that names the distribution."""
    status = 0
    for word in words:
        try:
            sys.stdout.write(_file(guest, word))
        except ServiceError as error:
            sys.stdout.flush()
            print(error, file=sys.stderr)
            status = 1
    return status


def _file(guest: Guest, path: str) -> str:
    """Return a file. Raises: ServiceError with cat's message; DomainGoneError."""
    if path == "/etc/redhat-release":
        return _RELEASE
    if path == "/proc/swaps":
        return swaps_text(guest.files())
    if path.startswith("/sys/"):
        return guest.sys_file(path.removeprefix("/sys/"))
    if not path.startswith("/proc/"):
        raise ServiceError(f"cat: {path}: No such file or directory")
    return guest.file(path.removeprefix("/proc/"))


def swaps_text(files: Files) -> str:
    """Return /proc/swaps: the last partition of the first disk if the guest swaps."""
    text = "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n"
    memory = named(files["meminfo"])
    size_kib = memory["SwapTotal"]
    if size_kib:
        disk = next(iter(disks(files)), "xvda")
        used_kib = size_kib - memory["SwapFree"]
        text += f"{f'/dev/{disk}2':<40}partition\t{size_kib}\t{used_kib}\t-1\n"
    return text


def ls(guest: Guest, words: list[str]) -> int:
    """Print the names in /proc, or in a directory below /sys/block, one per line."""
    if len(words) == 1 and re.match("/sys(/|$)", words[0]):
        return _ls_sys(guest, words[0].rstrip("/"))
    if words not in (["/proc"], ["/proc/"]):
        raise CommandError("ls: only /proc and /sys can be listed: ls /proc")
    names = {name.partition("/")[0] for name in guest.files()} | {"swaps"}
    for name in sorted(names, key=_number_first):
        print(name)
    return 0


def _ls_sys(guest: Guest, folder: str) -> int:
    head = folder.removeprefix("/sys").lstrip("/")
    head = f"{head}/" if head else ""
    files = guest.sys_file("").splitlines()
    names = {one.removeprefix(head).partition("/")[0] for one in files if one.startswith(head)}
    if not names:
        raise CommandError(f"ls: {folder}: No such file or directory")
    for name in sorted(names):
        print(name)
    return 0


def _number_first(name: str) -> tuple[bool, int, str]:
    return (False, int(name), "") if name.isdigit() else (True, 0, name)


def identity(guest: Guest, words: list[str]) -> int:
    """Print who the user is."""
    if words:
        raise CommandError("id: there is only root here: id")
    print("uid=0(root) gid=0(root) groups=0(root),1(bin),2(daemon),3(sys),4(adm),6(disk),10(wheel)")
    return 0


def free(guest: Guest, words: list[str]) -> int:
    """Print memory, as procps 3.2.7 does."""
    options, rest = options_of("free", words, "bkmgt", "usage: free [-b|-k|-m|-g] [-t]")
    if rest:
        raise CommandError("usage: free [-b|-k|-m|-g] [-t]")
    unit = next((letter for letter in reversed(options) if letter in _UNITS), "k")
    print(free_text(guest.files(), unit, with_total="t" in options))
    return 0


def free_text(files: Files, unit: str = "k", *, with_total: bool = False) -> str:
    """Return what free prints."""
    memory = named(files["meminfo"])
    times, share = _UNITS[unit]

    def row(label: str, *kib: int) -> str:
        return label + "".join(f" {value * times // share:10}" for value in kib)

    total, unused = memory["MemTotal"], memory["MemFree"]
    buffers, cached = memory["Buffers"], memory["Cached"]
    swap, swap_unused = memory["SwapTotal"], memory["SwapFree"]
    kept = buffers + cached
    lines = [
        "             total       used       free     shared    buffers     cached",
        row("Mem:   ", total, total - unused, unused, 0, buffers, cached),
        row("-/+ buffers/cache:", total - unused - kept, unused + kept),
        row("Swap:  ", swap, swap - swap_unused, swap_unused),
    ]
    if with_total:
        lines.append(
            row("Total: ", total + swap, total - unused + swap - swap_unused, unused + swap_unused)
        )
    return "\n".join(lines)


def uptime(guest: Guest, words: list[str]) -> int:
    """Print the time, how long the guest has been up, and its load."""
    print(uptime_line(guest.files()))
    return 0


def ps(guest: Guest, words: list[str]) -> int:
    """Print all processes with their CPU time, whatever the options are."""
    print("  PID TTY          TIME CMD")
    for one in processes(guest.files()):
        seconds = one.ticks // HZ
        spent = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        print(f"{one.pid:5} ?        {spent} {one.name}")
    return 0


def dmesg(guest: Guest, words: list[str]) -> int:
    """Print what the guest's kernel has written to its console."""
    lines = guest.console().splitlines(keepends=True)
    sys.stdout.write("".join(line for line in lines if not _INITS.match(line)))
    return 0


def uname(guest: Guest, words: list[str]) -> int:
    """Print the kernel's name, release and the like."""
    options, rest = options_of("uname", words, "asnrvmpio", "Try `uname --help'")
    if rest:
        raise CommandError(f"uname: extra operand `{rest[0]}'")
    print(uname_text(guest.files(), guest.name, "".join(options) or "s"))
    return 0


def uname_text(files: Files, name: str, letters: str) -> str:
    """Return what uname prints for these options."""
    words = files["version"].split()
    version = files["version"].strip().partition(" #")[2]
    machine = "i686" if "f00f_bug" in files["cpuinfo"] else "x86_64"
    platform = "i386" if machine == "i686" else machine
    values = {
        "s": words[0], "n": name, "r": words[2], "v": f"#{version}", "m": machine, "p": machine,
        "i": platform, "o": "GNU/Linux",
    }  # fmt: skip
    return " ".join(value for key, value in values.items() if "a" in letters or key in letters)


def hostname(guest: Guest, words: list[str]) -> int:
    """Print the name of the host."""
    if words:
        raise CommandError("hostname: the name is the domain's; change it with xm rename")
    print(guest.name)
    return 0


def date(guest: Guest, words: list[str]) -> int:
    """Print the time on the guest's clock, or `+FORMAT` of it."""
    moment = datetime.fromtimestamp(guest.unix_ns() // 1_000_000_000, UTC)
    if len(words) > 1 or any(not word.startswith("+") for word in words):
        raise CommandError("date: the clock can only be read: date [+FORMAT]")
    try:
        print(moment.strftime(words[0][1:]) if words else f"{moment:%a %b %e %H:%M:%S UTC %Y}")
    except (ValueError, UnicodeError):
        raise CommandError(f"date: invalid format `{words[0]}'") from None
    return 0


def echo(guest: Guest, words: list[str]) -> int:
    """Print the arguments."""
    is_open = words[:1] == ["-n"]
    print(*words[is_open:], end="" if is_open else "\n")
    return 0
