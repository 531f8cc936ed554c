"""Reads entries of xend.log: `[2026-11-29 17:40:49 xend 3070] DEBUG (XendDomainInfo:190) text`.

Source: tools/python/xen/xend/XendLogging.py (3.0.3 and 3.1); the latter leaves out the logger.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_ENTRY = re.compile(
    r"\[(?P<when>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:(?P<logger>[\w.]+) )?(?P<pid>\d+)\] "
    r"(?P<level>[A-Z]+) \((?P<module>\w+):(?P<line>\d+)\) (?P<text>.*)",
    re.DOTALL,
)
# What xend's messages say of a domain: name=X id=3, id = 3 name = X, domid=3, dom=3, Domain X (3),
# and in configurations 'domid': '3', 'name': 'X', ['name', 'X'].
_ID = re.compile(
    r"\b(?:id|domid|dom)'?\s?[:=]\s?'?(\d+)\b|\bdomain (?:\S+ )?\(?(\d+)\)?", re.IGNORECASE
)
_NAME = re.compile(r"\bname'?\s?[:=,]\s?'?([\w.+-]+)|\bDomain ([\w.+-]+) \(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class XendEntry:
    """An entry of the log."""

    unix_seconds: int
    logger: str
    pid: int
    level: str
    module: str
    line: int
    text: str
    domid: int | None  # the domain that the text names
    domain: str | None


def parse(line: str) -> XendEntry | None:
    """Return an entry; None if it has another form."""
    found = _ENTRY.match(line)
    if found is None:
        return None
    text = found["text"]
    number, name = _ID.search(text), _NAME.search(text)
    when = datetime.strptime(found["when"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return XendEntry(
        unix_seconds=int(when.timestamp()),
        logger=found["logger"] or "xend",
        pid=int(found["pid"]),
        level=found["level"],
        module=found["module"],
        line=int(found["line"]),
        text=text,
        domid=int(number[1] or number[2]) if number else None,
        domain=(name[1] or name[2]) if name else None,
    )
