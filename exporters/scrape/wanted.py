"""Reads what a scrape asks for: groups, metrics, domains, and times of creation.

Source of `collect[]`: node_exporter; of `name[]`: the client libraries of Prometheus.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from exporters.catalogue import GROUPS
from exporters.metric import Kind, Metric
from xenprof.errors import XenprofError

MOST_VALUES = 100
MOST_CHARACTERS = 256
_SUFFIXES = {
    Kind.HISTOGRAM: ("", "_bucket", "_count", "_sum", "_created"),
    Kind.COUNTER: ("", "_total", "_created"),
    Kind.INFO: ("", "_info"),
}
_SHOWN = 60


class BadQuery(XenprofError):
    """Refuses the query of a scrape."""

    http_status = 400


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is rendered; an empty set wants all."""

    groups: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    created: bool = False

    @property
    def is_whole(self) -> bool:
        """Return whether nothing is left out."""
        return not (self.groups or self.names or self.domains)

    def has_group(self, group: str) -> bool:
        """Return whether metrics of a group are wanted."""
        return not self.groups or group in self.groups

    def has_metric(self, metric: Metric) -> bool:
        """Return whether a metric is wanted; its name, its family's, or one of its samples'."""
        if not self.names or metric.name in self.names:
            return True
        suffixes = _SUFFIXES.get(metric.kind, ("",))
        return any(metric.family + suffix in self.names for suffix in suffixes)


EVERYTHING = Wanted()


def wanted(query: Iterable[tuple[str, str]]) -> Wanted:
    """Return what the parameters of a query ask for. Raises: BadQuery."""
    found: dict[str, set[str]] = {"collect[]": set(), "name[]": set(), "domain[]": set()}
    created = False
    for count, (key, value) in enumerate(query):
        if count >= MOST_VALUES:
            raise BadQuery(f"more than {MOST_VALUES} parameters")
        if len(value) > MOST_CHARACTERS:
            raise BadQuery(f"{key[:_SHOWN]}: more than {MOST_CHARACTERS} characters")
        if key == "created":
            created = _truth(value)
        elif key in found:
            found[key].add(value)
        else:
            known = ", ".join((*found, "created"))
            raise BadQuery(f"no parameter {_shown(key)}; there are {known}")
    for group in sorted(found["collect[]"] - GROUPS.keys()):
        raise BadQuery(f"no collector {_shown(group)}; there are {', '.join(GROUPS)}")
    return Wanted(
        frozenset(found["collect[]"]),
        frozenset(found["name[]"]),
        frozenset(found["domain[]"]),
        created,
    )


def _truth(value: str) -> bool:
    if value not in ("true", "false"):
        raise BadQuery(f"created is true or false, not {_shown(value)}")
    return value == "true"


def _shown(text: str) -> str:
    """Return a text from outside in one line, cut."""
    return repr(text[:_SHOWN])
