"""Fills the texts of alerts: `$domain` for Prometheus' templates, or for people who read."""

import re
from collections.abc import Mapping

from dashboards.rules.rule import Alert

REAL: Mapping[str, str] = {
    "xm list": "xl list",
    "xm info": "xl info",
    "xm dmesg": "xl dmesg",
    "xm log": "tail /var/log/xen/xl-*.log",
    "xm sched-credit": "xl sched-credit2",
    "xm vcpu-list": "xl vcpu-list",
    "xm vcpu-pin": "xl vcpu-pin",
    "xm vcpu-set": "xl vcpu-set",
    "xm mem-set": "xl mem-set",
    "xm mem-max": "xl mem-max",
    "xm block-list": "xl block-list",
    "xm network-list": "xl network-list",
    "xm network-attach": "xl network-attach",
    "xm pause": "xl pause",
    "xm destroy": "xl destroy",
    "xenprof xenstore-ls": "xenstore-ls",
}
"""What a command of the runbooks begins with, and what to type instead in domain 0 of a real host.

It is xl of Xen 4.14 and later, whose default scheduler is credit2.
"""

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


def on_a_real_host(command: str) -> str | None:
    """Return a command as it is typed in domain 0 of a real host, if it is another there."""
    for here, there in REAL.items():
        if f"{command} ".startswith(f"{here} "):
            return there + command.removeprefix(here)
    return None
