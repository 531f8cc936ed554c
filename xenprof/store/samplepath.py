"""Converts between SampleKey and a path below `samples/SESSION/`, by the grammar of file names.

    APP {dep} IMAGE [ {cg} CALLEE ] / EVENT.COUNT.UNITMASK.TGID.TID.CPU

APP is `{root}/abs/path` or `{kern}/name`; IMAGE and CALLEE may also be
`{anon:KIND}/TGID.0xSTART.0xEND`.

Source: oprofile libpp/parse_filename.cpp, daemon/opd_mangling.c.
"""

import re
from functools import lru_cache

from xenprof.errors import BadSamplePath
from xenprof.profile.flat import ImageName, SampleKey

_NUMBER = r"[0-9]{1,20}"
_TASK = rf"(all|{_NUMBER})"
_FIELDS = rf"\.({_NUMBER})\.({_NUMBER})\.{_TASK}\.{_TASK}\.{_TASK}"
_SPEC = re.compile(rf"([^./\0]+){_FIELDS}")
# 0.9.2 named Core 2 events with dots, e.g. INST_RETIRED.ANY_P, which oprofile 1.x cannot read.
_OLD_SPEC = re.compile(rf"([^./\0]+(?:\.[^./\0]+)*){_FIELDS}")
_RANGE = re.compile(rf"({_NUMBER})\.0x([0-9a-f]{{1,16}})\.0x([0-9a-f]{{1,16}})")
# 0.9.1 and 0.9.2 wrote {anon} without a kind.
_ANON = re.compile(r"\{anon(?::([^/{}\0]+))?\}")
_TOKENS = frozenset({"{root}", "{kern}", "{dep}", "{cg}"})


def format_path(key: SampleKey) -> str:
    """Return the path of the sample file of `key`, relative to the session's directory.

    Raises: BadSamplePath for a key that no reader could read back (an event name with a dot,
    a relative image path, a path component that is one of the grammar's own words).
    """
    parts = [_format_image(key.app), "{dep}", _format_image(key.image)]
    if key.callee is not None:
        parts += ["{cg}", _format_image(key.callee)]
    tasks = ".".join("all" if n is None else str(n) for n in (key.tgid, key.tid, key.cpu))
    spec = f"{key.event}.{key.count}.{key.unit_mask}.{tasks}"
    if key.app.kind == "anon":
        raise _bad_name(parts[0])
    if not _SPEC.fullmatch(spec):
        raise BadSamplePath(spec, _bad_spec(spec))
    return "/".join([*parts, spec])


def parse_spec(directory: str, spec: str) -> SampleKey:
    """Return the key of the sample file `spec` in `directory` of a session.

    Raises: BadSamplePath with the reader's message.
    """
    match = _SPEC.fullmatch(spec) or _OLD_SPEC.fullmatch(spec)
    if match is None:
        raise BadSamplePath(f"{directory}/{spec}", _bad_spec(spec))
    event, count, unit_mask, tgid, tid, cpu = match.groups()
    app, image, callee = _parse_directory(directory)
    return SampleKey(
        app,
        image,
        event,
        int(count),
        int(unit_mask),
        None if tgid == "all" else int(tgid),
        None if tid == "all" else int(tid),
        None if cpu == "all" else int(cpu),
        callee,
    )


def _bad_spec(spec: str) -> str:
    """Return the reader's message for the last component of a path."""
    return f"parse_event_spec(): bad event specification: {spec}"


def _bad_name(name: str) -> BadSamplePath:
    """Return the reader's error for the directory part of a path."""
    return BadSamplePath(name, f"parse_filename() invalid filename: {name}")


def _format_image(image: ImageName) -> str:
    """Return the components that stand for one image."""
    if image.kind == "anon":
        text = f"{{anon:{image.path}}}/{image.tgid}.{image.start:#x}.{image.end:#x}"
        head, _, tail = text.partition("/")
        good = bool(_ANON.fullmatch(head) and _RANGE.fullmatch(tail))
    elif image.kind == "kern":
        text = f"{{kern}}/{image.path}"
        good = "/" not in image.path and _is_plain(image.path)
    else:
        text = f"{{root}}{image.path}"
        good = image.path.startswith("/") and all(map(_is_plain, image.path[1:].split("/")))
    if not good:
        raise _bad_name(text)
    return text


def _is_plain(component: str) -> bool:
    """Return whether a name in a path cannot be mistaken for something else."""
    if component in ("", ".", "..") or "\0" in component or component in _TOKENS:
        return False
    return not _ANON.fullmatch(component)


@lru_cache(maxsize=4096)
def _parse_directory(directory: str) -> tuple[ImageName, ImageName, ImageName | None]:
    """Return application, image and callee; cached, since threads and cpus share a directory."""
    names: list[ImageName] = []
    parts = directory.split("/")
    at = 0
    for separator in ("", "{dep}", "{cg}"):
        if separator:
            if at == len(parts) and len(names) == 2:
                break
            if at >= len(parts) or parts[at] != separator:
                raise _bad_name(directory)
            at += 1
        name, at = _parse_image(directory, parts, at)
        names.append(name)
    if at != len(parts) or names[0].kind == "anon":
        raise _bad_name(directory)
    return names[0], names[1], names[2] if len(names) == 3 else None


def _parse_image(directory: str, parts: list[str], at: int) -> tuple[ImageName, int]:
    """Return the image whose components start at index `at`, and the index after it."""
    end = at + 1
    while end < len(parts) and _is_plain(parts[end]):
        end += 1
    rest = parts[at + 1 : end]
    token = parts[at] if at < len(parts) else ""
    if token == "{root}" and rest:
        return ImageName("root", "/" + "/".join(rest)), end
    if token == "{kern}" and len(rest) == 1:
        return ImageName("kern", rest[0]), end
    anon = _ANON.fullmatch(token)
    where = _RANGE.fullmatch(rest[0]) if anon and len(rest) == 1 else None
    if anon is None or where is None:
        raise _bad_name(directory)
    tgid, start, stop = where.groups()
    return ImageName("anon", anon[1] or "anon", int(tgid), int(start, 16), int(stop, 16)), end
