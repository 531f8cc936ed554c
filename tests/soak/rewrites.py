"""Rewrites the web configuration in place while strangers and a user ask."""

from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.support.e2e.served import PASSWORD, Served, configuration, rewritten_in_place
from tests.support.service_fakes import basic

REWRITES = 500


def run(folder: Path) -> str:
    """Rewrite the same content, and ask after each step of it."""
    strangers: Counter[int] = Counter()
    known: Counter[int] = Counter()
    with closing(Served(folder, configuration())) as served:
        for _ in range(REWRITES):
            for _ in rewritten_in_place(served.file):
                strangers[served.status("GET", "/api/v1/domains")] += 1
                known[served.status("GET", "/-/healthy", basic("ann", PASSWORD))] += 1
    assert (set(strangers), set(known)) == ({401}, {200}), f"{strangers}, {known}"
    return f"{REWRITES} rewrites, {strangers[401]} strangers refused, {known[200]} users let in"
