"""The commands of the shell."""

from collections.abc import Mapping

from xenprof.cli.console import acting, looking
from xenprof.cli.console.command import Command
from xenprof.cli.console.guest import Guest
from xenprof.cli.console.iostat import iostat
from xenprof.cli.console.programs import programs
from xenprof.cli.console.top import top
from xenprof.cli.console.vmstat import vmstat


def _true(guest: Guest, words: list[str]) -> int:
    return 0


def _false(guest: Guest, words: list[str]) -> int:
    return 1


COMMANDS: Mapping[str, Command] = {
    "cat": Command(looking.cat, "cat FILE...: print /proc/FILE, /sys/FILE or /etc/redhat-release"),
    "date": Command(looking.date, "date [+FORMAT]: the time on the guest's clock"),
    "dmesg": Command(looking.dmesg, "what the guest's kernel has written to its console"),
    "echo": Command(
        looking.echo, "echo [-n] WORD...; > /proc/sysrq-trigger, /sys/FILE and /dev/null work"
    ),
    "false": Command(_false, "fail"),
    "free": Command(looking.free, "free [-b|-k|-m|-g] [-t]: memory"),
    "halt": Command(acting.ending("halt"), "end the guest, as xm shutdown -H does"),
    "hostname": Command(looking.hostname, "the domain's name"),
    "id": Command(looking.identity, "who you are: root"),
    "iostat": Command(iostat, "iostat [-c|-d] [-k] [-t] [-x] [interval [count]]: CPU and disks"),
    "ls": Command(looking.ls, "ls /proc, ls /sys/...: the files that cat prints"),
    "modprobe": Command(
        acting.modprobe, "modprobe xen-vbd|xen-vnif: load drivers for Xen in an HVM guest"
    ),
    "poweroff": Command(acting.ending("poweroff"), "end the guest, as xm shutdown does"),
    "ps": Command(looking.ps, "what runs"),
    "reboot": Command(acting.ending("reboot"), "start the guest again, as xm reboot does"),
    "shutdown": Command(acting.shutdown, "shutdown -h|-r now: end the guest, or start it again"),
    "sleep": Command(acting.sleep, "sleep N[smhd]: let time of the model pass"),
    "sync": Command(_true, "nothing: pdflush writes what is dirty"),
    "top": Command(top, "top [-b] [-d delay] [-n iterations]: CPU, memory and processes"),
    "true": Command(_true, "succeed"),
    "uname": Command(looking.uname, "uname [-asnrvmpio]: the kernel"),
    "uptime": Command(looking.uptime, "how long the guest has been up, and its load"),
    "vmstat": Command(vmstat, "vmstat [-n] [delay [count]]: memory, swap, disks, CPU with steal"),
    **programs(),
}

BUILTINS: Mapping[str, str] = {
    "grep": "COMMAND | grep [-v] [-i] PATTERN: the lines with it",
    "head": "COMMAND | head [-n N]: the first lines",
    "tail": "COMMAND | tail [-n N]: the last lines",
    "wc": "COMMAND | wc -l: how many lines",
    "exit": "exit [N]: leave the console; the guest goes on",
    "help": "this list",
    "logout": "as exit",
}


def help_text() -> str:
    """Return what `help` prints."""
    texts = {name: command.help for name, command in COMMANDS.items()} | dict(BUILTINS)
    width = max(map(len, texts))
    return "\n".join(f"{name:<{width}}  {texts[name]}" for name in sorted(texts))
