"""Chooses the slices of a report by time, and sums them up."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from hypervisor.errors import UnknownDomain
from xenprof.errors import StoreError, UsageError
from xenprof.history.slices import FOLDER, Slice, slices
from xenprof.home import domain_root, resolve_domain
from xenprof.profile.stacks import StackProfile
from xenprof.report.views.merge import merged

_UNIT_NS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
_AGO = re.compile(r"(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})\s*(ms|s|m|h|d)")
_UNIX = re.compile(r"@?(\d{1,10})(?:\.(\d{1,9}))?")
_FIRST_UNIX_S = 10**8  # a smaller number, in 1970 to 1973, lacks its unit
_AT_ONCE = 32


def moment(text: str, now_unix_ns: int) -> int:
    """Return a moment in Unix ns: `5m` before now, a Unix time in seconds, or an ISO time (UTC).

    A small Unix time needs `@` before it.

    Raises: UsageError.
    """
    text = text.strip()
    if match := _AGO.fullmatch(text):
        return now_unix_ns - round(float(match[1]) * _UNIT_NS[match[2]])
    if match := _UNIX.fullmatch(text):
        if int(match[1]) < _FIRST_UNIX_S and not text.startswith("@"):
            raise UsageError(
                f"{text} is no time without a unit: write {text}s (seconds ago), or @{text} "
                "for that Unix time"
            )
        return int(match[1]) * 10**9 + int((match[2] or "").ljust(9, "0"))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no time: write 5m (ago), a Unix time, or 2007-03-14T12:00:00"
        ) from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    past = found - datetime(1970, 1, 1, tzinfo=UTC)
    return (past.days * 86400 + past.seconds) * 10**9 + past.microseconds * 1000


def time_text(unix_ns: int) -> str:
    """Return a moment as ISO writes it, in UTC."""
    return f"{datetime.fromtimestamp(unix_ns // 10**9, UTC):%Y-%m-%dT%H:%M:%S}Z"


def chosen(known: Sequence[Slice], since_ns: int, until_ns: int) -> list[Slice]:
    """Return the slices whose middle is in [since, until): adjacent spans share none."""
    return [
        each
        for each in known
        if 2 * since_ns <= each.start_unix_ns + each.end_unix_ns < 2 * until_ns
    ]


def read_window(
    home: Path,
    since: str | None,
    until: str | None,
    now_unix_ns: int | None,
    warn: Callable[[str], None],
) -> tuple[StackProfile, str]:
    """Return the sum of the slices between two moments, and its title.

    `now_unix_ns` None: the end of the history. Slices that cannot be read are left out with a
    warning. Raises: UsageError: no time, no slices then, or `since` is not the earlier one.
    """
    folder = home / FOLDER
    known = slices(folder)
    if not known:
        raise UsageError(
            f"there is no history in {folder}: record one with xenprof serve --history"
        )
    now_ns = now_unix_ns if now_unix_ns is not None else max(each.end_unix_ns for each in known)
    since_ns = moment(since, now_ns) if since is not None else 0
    until_ns = moment(until, now_ns) if until is not None else now_ns + 1
    if since_ns >= until_ns:
        raise UsageError(f"--since {since} is not before {f'--until {until}' if until else 'now'}")
    found = chosen(known, since_ns, until_ns)
    if not found:
        raise UsageError(
            f"no slice of the history is between {time_text(max(since_ns, 0))} and "
            f"{time_text(max(until_ns, 0))}; there are {len(known)}, from "
            f"{time_text(known[0].start_unix_ns)} to {time_text(known[-1].end_unix_ns)}"
        )
    first, last = found[0].start_unix_ns, max(each.end_unix_ns for each in found)
    title = f"history {time_text(first)} to {time_text(last)}"
    return _sum(found, warn), title


def _sum(found: Sequence[Slice], warn: Callable[[str], None]) -> StackProfile:
    """Return the sum of slices; only some at a time are in memory."""
    total = merged([])
    for first in range(0, len(found), _AT_ONCE):
        parts = [total]
        for each in found[first : first + _AT_ONCE]:
            try:
                parts.append(each.read())
            except StoreError as error:
                warn(f"{error}: left out")
        total = merged(parts)
    return total


def domains_in(home: Path, profile: StackProfile, words: Sequence[str]) -> frozenset[str]:
    """Return the domains that the user named by name or id; empty: all. Raises: UnknownDomain."""
    known = {frame.domain for frame in profile.frames}
    found = set()
    for word in words:
        name = word if word in known else resolve_domain(home, word)
        if name not in known and not domain_root(home, name).is_dir():
            raise UnknownDomain(word)
        found.add(name)
    return frozenset(found)
