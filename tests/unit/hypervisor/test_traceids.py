"""Trace ids: 32 hexadecimal digits, the same for the same thing, different for all others."""

import re

from hypothesis import given
from hypothesis import strategies as st

from hypervisor.traceids import boot_name, trace_id

BOOT = boot_name("grumble", 1_178_668_800_000_000_000)


def test_a_trace_id_has_thirty_two_hexadecimal_digits() -> None:
    assert re.fullmatch("[0-9a-f]{32}", trace_id(BOOT, "operation", 1))


def test_a_trace_id_is_the_same_in_every_process() -> None:
    assert trace_id(BOOT, "operation", 1) == "72675c8516448f758721b2e2ab6185ca"


@given(st.lists(st.integers(0, 10**9), min_size=2, unique=True, max_size=20))
def test_serials_have_different_trace_ids(serials: list[int]) -> None:
    assert len({trace_id(BOOT, "operation", one) for one in serials}) == len(serials)


def test_kinds_boots_and_hosts_have_different_trace_ids() -> None:
    boots = (BOOT, boot_name("grumble", 0), boot_name("other", 0))
    ids = {trace_id(boot, kind, 1) for boot in boots for kind in ("operation", "session")}
    assert len(ids) == 6
