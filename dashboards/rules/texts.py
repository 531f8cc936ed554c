"""Fills the texts of alerts: `$domain` for Prometheus' templates, or for people who read."""

import re

from dashboards.rules.rule import Alert

_PLACE = re.compile(r"(?<![{\w.])\$([a-z]\w*)")
_TEMPLATE = re.compile(r"({{.*?}})")


def as_template(text: str, alert: Alert) -> str:
    """Return a text with Prometheus' templates for its places; templates in it stay."""

    def place(found: re.Match[str]) -> str:
        name = found[1]
        return alert.unit.value if name == "value" else f"{{{{ $labels.{name} }}}}"

    parts = _TEMPLATE.split(text)
    return "".join(part if part.startswith("{{") else _PLACE.sub(place, part) for part in parts)


def for_reading(text: str) -> str:
    """Return a text with the names of its places in capitals: DOMAIN."""
    return _PLACE.sub(lambda found: found[1].upper(), text)
