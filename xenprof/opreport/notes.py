"""Makes warnings and notes on what a report cannot show, printed beside the report itself."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from xenprof.errors import StoreError
from xenprof.profile.losses import REASONS
from xenprof.store.placing import DAMAGED, damaged_files
from xenprof.store.unseen import check_unseen, read_unseen

_OVERFLOW = (
    "WARNING! The OProfile kernel driver reports sample buffer overflows.",
    "Such overflows can result in incorrect sample attribution, invalid sample",
    "files and other symptoms.  See the oprofiled.log for details.",
    "You should adjust your sampling frequency to eliminate (or at least minimize)",
    "these overflows.",
)
_THROTTLED = (
    "",
    "WARNING! Some of the events were throttled. Throttling occurs when",
    "the initial sample rate is too high, causing an excessive number of",
    "interrupts.  Decrease the sampling frequency. Check the directory",
)
_LOST_SHARE = 0.0001

_NOTES: Mapping[str, Callable[[str], str]] = {
    "idle_seconds": lambda text: f"processors were idle for {text} s, where no samples are taken",
    "others_samples": lambda text: f"{text} samples were of domains that are not profiled",
    "lost_samples": lambda text: f"{text} samples were lost on the way",
    "lost_reasons": lambda text: f"lost because: {_reasons(text)}",
    "unread_samples": lambda text: f"{text} samples were left unread in the hypervisor's buffers",
    "unprofiled_domains": lambda text: f"not profiled: {text.replace(',', ', ')}",
}


def _reasons(text: str) -> str:
    """Return the sentence for `reason=count,...`."""
    words = []
    for entry in text.split(","):
        reason, _, count = entry.partition("=")
        words.append(f"{REASONS.get(reason, reason)}: {count}")
    return "; ".join(words)


def overflow_warning(lost: Mapping[str, int]) -> tuple[str, ...]:
    """Return the lines of the overflow warning; none if the driver's statistics show no loss."""
    overflows = (
        count
        for name, count in lost.items()
        if name == "event_lost_overflow"
        or (name.startswith("cpu") and name.endswith("/sample_lost_overflow"))
    )
    return _OVERFLOW if any(overflows) else ()


def session_warnings(session: Path, stats: Mapping[str, int], session_dir: Path) -> Iterator[str]:
    """Yield warnings from a session's statistics: overflows, and what operf throttled or lost.

    Source: oprofile libpp/profile_spec.cpp. Any `lost` counter beside `total_samples` counts.
    """
    yield from overflow_warning(stats)
    throttled = session / "stats" / "throttled"
    if throttled.is_dir():
        yield from _THROTTLED
        yield str(throttled)
        yield from ("for the throttled event names.", "")
    total = stats.get("total_samples")
    if total is not None:
        lost = sum(count for name, count in stats.items() if _is_loss(name))
        if lost > int(_LOST_SHARE * total):
            yield ""
            log = f"{session_dir}/samples/operf.log"
            yield f"WARNING: Lost samples detected! See {log} for details."


def _is_loss(name: str) -> bool:
    return "lost" in name or name == "invalid_context"


def unseen(session: Path) -> Iterator[str]:
    """Yield a note for each kind of time or samples that a session's reports cannot show."""
    for key, value in read_unseen(session):
        if key in _NOTES and value and not _is_zero(value):
            yield f"note: {_NOTES[key](value)}"
    try:
        check_unseen(session)
    except StoreError as error:
        yield f"note: {error}: what was lost may be missing"
    if aside := damaged_files(session):
        yield f"note: damaged sample files that were set aside: {aside}, in {session / DAMAGED}"


def _is_zero(text: str) -> bool:
    try:
        return float(text) == 0.0
    except ValueError:
        return False
