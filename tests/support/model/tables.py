"""Makes the text of scenarios that have tables of cards."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.model.hosts import HOST


def _lines(table: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {json.dumps(value)}" for key, value in table.items() if key != "workload"]


def scenario_text(
    domains: Sequence[Mapping[str, Any]],
    nics: Sequence[Mapping[str, Any]],
    domain0: Mapping[str, Any] | None = None,
    **host: Any,
) -> str:
    """Return a scenario; `host` changes the host of the other tests, `domain0` its own table."""
    lines = ["[host]", *_lines(dict(HOST) | {"memory_mib": 4096} | host)]
    for nic in nics:
        lines += ["[[host.nic]]", *_lines(nic)]
    own = {"vcpus": 1, "memory_mib": 256} | dict(domain0 or {})
    for head, one in [("domain0", own), *(("[domain]", one) for one in domains)]:
        lines += [f"[{head}]", *_lines(one)]
        for workload in one.get("workload", ()):
            lines += [f"[[{head.strip('[]')}.workload]]", *_lines(workload)]
    return "\n".join(lines)
