"""Reads which samples a session has lost, by the reasons that metrics and reports name.

A session of our own notes them beside its statistics. One of oprofile has only the statistics,
where what was lost in Xen's rings does not occur.
"""

from collections.abc import Mapping
from pathlib import Path

from xenprof.store.sessiondir import read_stats
from xenprof.store.unseen import read_unseen

_STATISTICS = {
    "event_lost_overflow": "event_buffer_overflow",
    "sample_lost_no_mm": "no_mm",
    "sample_lost_no_mapping": "no_mapping",
}
_IN_CPUS = {"sample_lost_overflow": "cpu_buffer_overflow"}
NEVER_READ = "never_read"
UNREAD = "unread"
"""Samples that nobody has read yet are not lost, but not in the session either."""


def session_losses(session: Path, recorded: Mapping[str, int]) -> dict[str, int]:
    """Return the lost samples of a session (its directory) by reason.

    `recorded`: those that are noted with its stacks, where the session has no note of all.
    """
    notes = dict(read_unseen(session))
    if "lost_reasons" in notes:
        return parse_reasons(notes["lost_reasons"])
    lost = dict(recorded)
    for name, count in read_stats(session).items():
        cpu, _, leaf = name.rpartition("/")
        reason = _IN_CPUS.get(leaf) if cpu.startswith("cpu") else _STATISTICS.get(name)
        if reason and count:
            lost[reason] = lost.get(reason, 0) + count
    return lost


def not_kept(session: Path, recorded: Mapping[str, int]) -> dict[str, int]:
    """Return the samples of a session that are not in its files by reason, as `session_losses`."""
    return session_losses(session, recorded) | session_unread(session)


def session_unread(session: Path) -> dict[str, int]:
    """Return the samples of a session that waited unread when it was written last."""
    unread = count_in(dict(read_unseen(session)).get("unread_samples", ""))
    return {UNREAD: unread} if unread else {}


def reasons_text(lost: Mapping[str, int]) -> str:
    """Return losses as `reason=samples,...`."""
    return ",".join(f"{reason}={samples}" for reason, samples in sorted(lost.items()) if samples)


def parse_reasons(text: str) -> dict[str, int]:
    """Return the losses of `reason=samples,...`; parts that are none are skipped."""
    found: dict[str, int] = {}
    for part in text.split(","):
        reason, _, samples = part.partition("=")
        if count := count_in(samples):
            found[reason] = found.get(reason, 0) + count
    return found


def count_in(text: str) -> int:
    """Return a number of samples; 0 for a text that is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else 0
