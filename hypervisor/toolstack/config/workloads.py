"""The programs that a configuration file names: `oltp, clients=16, engine=sybase`."""

from typing import Final

from hypervisor.errors import HostError

_NAMES: Final = ("peer", "lun")  # a domain may be called 7, or true
_LISTS: Final = ("phases",)  # whose values stand between plus signs
_FORM = "write a kind and its parameters, as in 'oltp, clients=16'"


def parse_workload(text: str) -> dict[str, object]:
    """Return a workload as in a scenario; what it may be is checked there. Raises: HostError."""
    kind, *pairs = (word.strip() for word in text.split(","))
    if not kind or "=" in kind:
        raise HostError(f"invalid value for xenprof_workload: '{text}'; {_FORM}")
    given: dict[str, object] = {"kind": kind}
    for pair in pairs:
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not key or not equals or key in given:
            raise HostError(f"invalid value for xenprof_workload: '{pair}' in '{text}'; {_FORM}")
        given[key] = _value(key, value)
    return given


def _value(key: str, text: str) -> object:
    if key in _NAMES:
        return text
    if key in _LISTS:
        return [one.strip() for one in text.split("+")]
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return text
