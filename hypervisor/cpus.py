"""Reads and writes lists of CPUs as `xm` does: `0-3,^2` and `any cpu`."""

from collections.abc import Iterable

from hypervisor.errors import HostError

MAXIMUM_CPU = 1023


def parse_cpus(text: str) -> tuple[int, ...]:
    """Return the sorted CPUs of a comma list of N, A-B and ^N (which removes an earlier N).

    Raises: HostError for anything else. Source: tools/python/xen/xm/main.py, cpu_make_map.
    """
    chosen: set[int] = set()
    for item in text.split(","):
        if item.strip().startswith("^"):
            chosen.discard(_number(item.strip()[1:], text))
            continue
        first, dash, last = item.partition("-")
        low = _number(first, text)
        chosen.update(range(low, (_number(last, text) if dash else low) + 1))
    return tuple(sorted(chosen))


def _number(word: str, text: str) -> int:
    word = word.strip()
    if not (word.isascii() and word.isdigit() and len(word) < 9 and int(word) <= MAXIMUM_CPU):
        raise HostError(f"'{text}' is not a list of CPUs; write N, A-B or ^N, joined by commas")
    return int(word)


def format_cpus(cpus: Iterable[int]) -> str:
    """Return the shortest list of these CPUs: sorted ranges, as in `1-2,4`."""
    ranges: list[tuple[int, int]] = []
    for cpu in sorted(set(cpus)):
        if ranges and ranges[-1][1] == cpu - 1:
            ranges[-1] = (ranges[-1][0], cpu)
        else:
            ranges.append((cpu, cpu))
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)


def affinity_text(affinity: Iterable[int] | None, pcpus: int) -> str:
    """Return `any cpu`, `no cpus` or ranges, `-` for unknown ones.

    CPUs past the last fold back modulo `pcpus`; 0 is an unknown number of them.
    """
    if affinity is None:
        return "-"
    folded = {cpu % pcpus if pcpus else cpu for cpu in affinity}
    if pcpus and len(folded) == pcpus:
        return "any cpu"
    return format_cpus(folded) or "no cpus"
