"""Writes pprof's profile.proto, gzipped.

Each event EVENT is two values of a sample: `EVENT_sample` (how many) and `EVENT` (how many
events these stand for: samples times the period). A mapping stands
for an image of a domain and is called `DOMAIN:LAYER:IMAGE`; colons in the domain's name are
%3A. The labels `domain` and `layer` of a sample are those of the code that was running,
`origin` is the domain that began the stack if that is another one. Comments hold the events as
opcontrol writes them, and what was lost.

Source: github.com/google/pprof proto/profile.proto.
"""

import gzip
from collections.abc import Iterable, Sequence

from xenprof.profile.losses import lost_text
from xenprof.profile.spelling import spelled_profile
from xenprof.profile.stacks import Frame, StackProfile
from xenprof.report.formats.protobuf import number, packed, piece, varint
from xenprof.report.formats.request import Request
from xenprof.report.views.joining import cause

# Fields of Profile; those of inner messages are named where they are written.
_SAMPLE_TYPE, _SAMPLE, _MAPPING, _LOCATION, _FUNCTION, _STRING = 1, 2, 3, 4, 5, 6
_TIME_NS, _DURATION_NS, _PERIOD_TYPE, _PERIOD, _COMMENT, _DEFAULT_TYPE = 9, 10, 11, 12, 13, 14
_LEVEL = 6


class _Strings:
    """The table of strings; the first is empty."""

    def __init__(self) -> None:
        self.index = {"": 0}

    def __call__(self, text: str) -> int:
        return self.index.setdefault(text, len(self.index))

    def pieces(self) -> Iterable[bytes]:
        return (piece(_STRING, text.encode()) for text in self.index)


def render(request: Request) -> Iterable[bytes]:
    """Return the compressed profile."""
    return [gzip.compress(encode(request.profile, request.event), _LEVEL, mtime=0)]


def encode(profile: StackProfile, event: int = 0) -> bytes:
    """Return the profile uncompressed; `event` is the one that viewers show first."""
    profile, strings = spelled_profile(profile), _Strings()
    types = [
        number(1, strings(name)) + number(2, strings("count"))
        for kind in profile.types
        for name in (f"{kind.event}_sample", kind.event)
    ]
    parts = [piece(_SAMPLE_TYPE, data) for data in types]
    parts += _samples(profile, strings)
    parts += _frames(profile.frames, strings)
    comments = [strings(kind.text) for kind in profile.types]
    if line := lost_text(profile.lost):
        comments.append(strings(line))
    tail = b""
    if profile.types:
        chosen = profile.types[event]
        tail = piece(_PERIOD_TYPE, types[2 * event + 1]) + number(_PERIOD, chosen.period)
        tail += number(_DEFAULT_TYPE, strings(chosen.event))
    parts += strings.pieces()
    parts.append(number(_TIME_NS, profile.start_unix_ns or 0))
    parts.append(number(_DURATION_NS, profile.duration_ns or 0))
    parts.append(packed(_COMMENT, comments))
    parts.append(tail)
    return b"".join(parts)


def _samples(profile: StackProfile, strings: _Strings) -> Iterable[bytes]:
    frames = profile.frames
    # Location i + 1 is frame i. Their numbers are encoded once; stacks only join them.
    locations = [varint(index + 1) for index in range(len(frames))]
    labels: dict[tuple[int, int], bytes] = {}
    periods = [max(kind.period, 1) for kind in profile.types]
    for stack, counts in zip(profile.stacks, profile.values.tolist(), strict=True):
        values = b"".join(
            varint(count) + varint(count * period)
            for count, period in zip(counts, periods, strict=True)
        )
        ends = (stack[0], stack[-1]) if stack else (-1, -1)
        if ends not in labels:
            labels[ends] = _labels(frames, ends, strings)
        places = b"".join([locations[step] for step in reversed(stack)])
        yield piece(_SAMPLE, piece(1, places) + piece(2, values) + labels[ends])


def _labels(frames: Sequence[Frame], ends: tuple[int, int], strings: _Strings) -> bytes:
    if ends[0] < 0:
        return b""
    first, last = frames[ends[0]], frames[ends[1]]
    found = [("domain", last.domain), ("layer", str(last.layer))]
    if (origin := cause(first) or first.domain) != last.domain:
        found.append(("origin", origin))
    return b"".join(
        piece(3, number(1, strings(key)) + number(2, strings(value))) for key, value in found
    )


def mapping_name(frame: Frame) -> str:
    """Return the name of the mapping of a frame's image."""
    domain = frame.domain.replace("%", "%25").replace(":", "%3A")
    return f"{domain}:{frame.layer}:{frame.image}"


def _frames(frames: Sequence[Frame], strings: _Strings) -> Iterable[bytes]:
    mappings: dict[str, int] = {}
    functions: dict[Frame, int] = {}
    for index, frame in enumerate(frames):
        name = mapping_name(frame)
        if name not in mappings:
            mappings[name] = len(mappings) + 1
            data = number(1, mappings[name]) + number(5, strings(name))
            data += number(7, 1) + (number(8, 1) + number(9, 1) if frame.file else b"")
            yield piece(_MAPPING, data)
        function = Frame(frame.symbol, frame.image, frame.layer, frame.domain, frame.file)
        if function not in functions:
            functions[function] = len(functions) + 1
            text = strings(frame.symbol or f"[{frame.image}]")
            data = number(1, functions[function]) + number(2, text)
            data += number(3, strings(frame.symbol)) + number(4, strings(frame.file or frame.image))
            yield piece(_FUNCTION, data)
        line = number(1, functions[function]) + number(2, frame.line)
        data = number(1, index + 1) + number(2, mappings[name]) + piece(4, line)
        yield piece(_LOCATION, data)
