"""Keeps xend's log: entries, their format, and the messages that xend writes.

Source: tools/python/xen/xend/XendLogging.py (3.0.3 and 3.1). The texts are xend's own; the line
numbers are near those of the 3.0.3 files (judgement: each build of RHEL 5 moves them).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

MAX_ENTRIES = 10_000  # that wait to be written to the file; judgement
MAX_TEXT = 16_384  # characters of one entry; judgement: a long configuration still fits

_LOGGERS = {"XendDomainInfo": "xend.XendDomainInfo"}  # all other modules use the plain one


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry of the log: usually one line, but a text may hold newlines (a traceback)."""

    unix_ns: int  # virtual
    level: str  # DEBUG | INFO | WARNING | ERROR
    logger: str  # xend | xend.XendDomainInfo
    module: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message of xend: its place in the source, and its text with %-placeholders."""

    module: str
    line: int
    text: str


class Messages:
    """The messages of xend by occasion; a comment names the level where it is not DEBUG."""

    # xend itself
    dropped = Message("XendLogging", 70, "%d messages were dropped: they came too fast")  # WARNING

    # create
    create = Message("XendDomainInfo", 190, "XendDomainInfo.create(%s)")
    construct = Message("XendDomainInfo", 1264, "XendDomainInfo.construct: %s")
    init_domain = Message("XendDomainInfo", 1296, "XendDomainInfo.initDomain: %s %s")
    build = Message("image", 136, "buildDomain os=%s dom=%d vcpus=%d")  # INFO
    vm_details = Message("XendDomainInfo", 688, "Storing VM details: %s")
    domain_details = Message("XendDomainInfo", 723, "Storing domain details: %s")

    # memory
    balloon_enough = Message("balloon", 127, "Balloon: %d KiB free; need %d; done.")
    balloon_wait = Message(
        "balloon", 133, "Balloon: %d KiB free; %d to scrub; need %d; retries: %d."
    )
    balloon_dom0 = Message("balloon", 148, "Balloon: setting dom0 target to %d MiB.")
    memory_target = Message(
        "XendDomainInfo", 945, "Setting memory target of domain %s (%d) to %d MiB."
    )

    # devices
    device_write = Message("DevController", 110, "DevController: writing %s to %s.")
    device_wait_class = Message("DevController", 149, "Waiting for devices %s.")
    device_wait = Message("DevController", 155, "Waiting for %s.")
    hotplug_callback = Message("DevController", 476, "hotplugStatusCallback %s.")
    hotplug_status = Message("DevController", 490, "hotplugStatusCallback %d.")

    # life cycle
    unpaused = Message("XendDomain", 370, "Domain %s (%d) unpaused.")  # INFO
    paused = Message("XendDomain", 384, "Domain %s (%d) paused.")  # INFO
    has_crashed = Message("XendDomainInfo", 875, "Domain has crashed: name=%s id=%d.")  # WARNING
    has_shutdown = Message(
        "XendDomainInfo", 891, "Domain has shutdown: name=%s id=%d reason=%s."
    )  # INFO
    shutdown_timeout = Message(
        "XendDomainInfo", 922, "Domain shutdown timeout expired: name=%s id=%s"
    )  # INFO
    destroy = Message("XendDomainInfo", 1463, "XendDomainInfo.destroy: domid=%s")
    restarting_too_fast = Message(
        "XendDomainInfo",
        1675,
        "VM %s restarting too fast (%f seconds since the last restart).  "
        "Refusing to restart to avoid loops.",
    )  # ERROR
    renaming = Message(
        "XendDomainInfo", 1725, "Renaming dead domain %s (%d, %s) to %s (%s)."
    )  # INFO
    preserving = Message("XendDomainInfo", 1741, "Preserving dead domain %s (%d).")  # INFO
    dump_failed = Message(
        "XendDomainInfo", 1760, "XendDomainInfo.dumpCore failed: id = %s name = %s: %s"
    )  # ERROR

    # save and restore
    save_command = Message("XendCheckpoint", 83, "[xc_save]: %s")
    save_input = Message("XendCheckpoint", 86, "In saveInputHandler %s")
    suspending = Message("XendCheckpoint", 88, "Suspending %d ...")
    suspended = Message("XendCheckpoint", 93, "Domain %d suspended.")  # INFO
    save_written = Message("XendCheckpoint", 98, "Written done")
    save_failed = Message("XendCheckpoint", 107, "Save failed on domain %s (%d).")  # ERROR
    restore_failed = Message("XendDomain", 275, "Restore failed")  # ERROR


def format_entry(entry: LogEntry, pid: int, tools: str) -> str:
    """Return the text of an entry, without the last newline. 3.1 leaves out the logger."""
    when = datetime.fromtimestamp(entry.unix_ns // 1_000_000_000, UTC)
    logger = f"{entry.logger} " if tools == "3.0.3" else ""
    head = f"[{when:%Y-%m-%d %H:%M:%S} {logger}{pid}] {entry.level}"
    return f"{head} ({entry.module}:{entry.line}) {entry.text}"


class XendLog:
    """Keeps entries until they are taken; beyond a limit new ones are dropped, and counted.

    The values of a call fill the message's placeholders, in order.
    """

    def __init__(
        self,
        unix_ns: Callable[[], int],
        *,
        pid: int,
        tools: str,
        max_entries: int = MAX_ENTRIES,
    ) -> None:
        """`unix_ns` returns the virtual Unix time."""
        self._unix_ns = unix_ns
        self._pid = pid
        self._tools = tools
        self._max_entries = max_entries
        self._entries: deque[LogEntry] = deque()
        self._dropped = 0

    def debug(self, message: Message, *values: object) -> None:
        """Log a message at level DEBUG."""
        self._add("DEBUG", message, values)

    def info(self, message: Message, *values: object) -> None:
        """Log a message at level INFO."""
        self._add("INFO", message, values)

    def warning(self, message: Message, *values: object) -> None:
        """Log a message at level WARNING."""
        self._add("WARNING", message, values)

    def error(self, message: Message, *values: object) -> None:
        """Log a message at level ERROR."""
        self._add("ERROR", message, values)

    def take(self) -> list[str]:
        """Return the waiting entries as text, oldest first, and remove them."""
        if self._dropped:
            self._entries.append(self._entry("WARNING", Messages.dropped, (self._dropped,)))
            self._dropped = 0
        lines = [format_entry(entry, self._pid, self._tools) for entry in self._entries]
        self._entries.clear()
        return lines

    def _add(self, level: str, message: Message, values: tuple[object, ...]) -> None:
        if len(self._entries) >= self._max_entries:
            self._dropped += 1
        else:
            self._entries.append(self._entry(level, message, values))

    def _entry(self, level: str, message: Message, values: tuple[object, ...]) -> LogEntry:
        text = message.text % values
        if len(text) > MAX_TEXT:
            text = f"{text[:MAX_TEXT]}... ({len(text) - MAX_TEXT} characters left out)"
        logger = _LOGGERS.get(message.module, "xend")
        return LogEntry(self._unix_ns(), level, logger, message.module, message.line, text)
