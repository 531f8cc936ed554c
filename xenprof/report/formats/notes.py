"""Tells beside a report what it cannot show: lost samples, callers elsewhere, whose time it is."""

from collections import Counter
from collections.abc import Iterator

from xenprof.profile.losses import lost_text
from xenprof.profile.stacks import StackProfile
from xenprof.report.formats.request import Request
from xenprof.report.views.joining import CAUSE, cause, crosses_domains

_JOINED = {
    "cause": "A stack begins in the domain on whose behalf it ran; where the name of another "
    "domain stands in it, the time above that name is of that domain's processors.",
    "place": "A stack begins in the domain whose processors ran it; `{mark}` above the name of "
    "the domain tells on whose behalf.",
}
_MOST_DOMAINS = 6
_FLAT = "No callers: profile with --callgraph N to see what led to a function."


def notes(request: Request) -> Iterator[str]:
    """Yield the lines that concern every format."""
    if request.base is not None and (line := lost_text(request.base.lost)):
        yield f"before: {line}"
    if line := lost_text(request.profile.lost):
        yield line if request.base is None else f"after: {line}"
    if callers := _only_callers(request.profile):
        yield f"only callers: {', '.join(callers)}"


def picture_notes(request: Request) -> Iterator[str]:
    """Yield the lines that concern flame graphs."""
    yield from notes(request)
    if not any(len(stack) > 1 for stack in request.profile.stacks):
        yield _FLAT
    elif crosses_domains(request.profile):
        yield _JOINED[request.joined].format(mark=CAUSE.format("NAME"))
        yield _whose(request)


def sampled_domains(profile: StackProfile) -> set[str]:
    """Return the domains in which samples were taken."""
    return {profile.frames[stack[-1]].domain for stack in profile.stacks if stack}


def _shares(title: str, samples: Counter[str]) -> str:
    """Return the domains with the largest shares on one line."""
    total = max(samples.total(), 1)
    largest = sorted(samples, key=lambda domain: (-samples[domain], domain))[:_MOST_DOMAINS]
    return f"{title}: " + ", ".join(
        f"{name} {100 * samples[name] / total:.1f} %" for name in largest
    )


def _whose(request: Request) -> str:
    """Return the shares of the domains, by whose processors ran and on whose behalf."""
    frames, places, causes = request.profile.frames, Counter[str](), Counter[str]()
    counts = request.profile.values[:, request.event].tolist()
    for stack, count in zip(request.profile.stacks, counts, strict=True):
        if stack:
            first = frames[stack[0]]
            places[frames[stack[-1]].domain] += count
            causes[cause(first) or first.domain] += count
    return f"{_shares('Whose processors', places)}; {_shares('on whose behalf', causes)}."


def _only_callers(profile: StackProfile) -> list[str]:
    """Return the domains that are in stacks only because they caused work elsewhere."""
    return sorted({frame.domain for frame in profile.frames} - sampled_domains(profile))
