"""The programs that a configuration file names: `oltp, clients=16, engine=sybase`."""

from hypervisor.errors import HostError

_NAMES = ("peer", "lun")  # a domain may be called 7, or true
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
        given[key] = value if key in _NAMES else _value(value)
    return given


def _value(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return text
