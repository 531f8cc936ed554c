"""What the counters of each processor count."""

import pytest

from hypervisor.model.codebook.book import CodeBook, Kind
from hypervisor.model.codebook.events import event_kind


@pytest.mark.parametrize(
    ("cpu", "number", "mask", "kind"),
    [
        ("p4", 0x1D, 0x1, Kind.CYCLES),  # GLOBAL_POWER_EVENTS
        ("p4-ht", 0x23, 0x1, Kind.INSTRUCTIONS),  # INSTR_RETIRED
        ("p4-ht", 0x24, 0x1, Kind.UOPS),
        ("p4", 0x01, 0xC, Kind.BRANCHES_TAKEN),  # BRANCH_RETIRED, default mask
        ("p4", 0x01, 0xF, Kind.BRANCHES),
        ("p4", 0x02, 0x1, Kind.BRANCH_MISSES),
        ("p4", 0x0C, 0x100, Kind.L2_MISSES),  # BSQ_CACHE_REFERENCE
        ("p4", 0x0C, 0x200, Kind.L2_MISSES),
        ("p4", 0x0C, 0x7, Kind.L2_REFERENCES),
        ("p4", 0x0C, 0x73F, Kind.L2_REFERENCES),
        ("p4", 0x0C, 0x8, None),  # a hit in an L3 that does not exist
        ("p4", 0x05, 0x2, Kind.ITLB_MISSES),
        ("p4", 0x05, 0x7, Kind.ITLB_REFERENCES),
        ("p4", 0x0B, 0x1, Kind.DTLB_MISSES),  # PAGE_WALK_TYPE
        ("p4", 0x0B, 0x2, Kind.ITLB_MISSES),
        ("p4", 0x0B, 0x3, Kind.TLB_WALKS),
        ("p4", 0x13, 0x8000, None),  # SSE_INPUT_ASSIST is not modelled
        ("core_2", 0x3C, 0x0, Kind.CYCLES),
        ("core_2", 0xC0, 0x0, Kind.INSTRUCTIONS),
        ("core_2", 0x2E, 0x41, Kind.L2_MISSES),  # LLC_MISSES
        ("core_2", 0x2E, 0x4F, Kind.L2_REFERENCES),  # LLC_REFS
        ("core_2", 0x08, 0xF, Kind.DTLB_MISSES),
        ("core_2", 0x24, 0x70, Kind.L2_MISSES),  # L2_LINES_IN
        ("core_2", 0xC4, 0xA, Kind.BRANCH_MISSES),  # BR_INST_RETIRED, default mask
        ("hammer", 0x76, 0x0, Kind.CYCLES),
        ("hammer", 0xC0, 0x0, Kind.INSTRUCTIONS),
        ("hammer", 0x41, 0x0, Kind.L1D_MISSES),
        ("hammer", 0x46, 0x0, Kind.DTLB_MISSES),
        ("hammer", 0x7E, 0x7, Kind.L2_MISSES),
    ],
)
def test_what_an_event_counts(cpu: str, number: int, mask: int, kind: Kind | None) -> None:
    assert event_kind(cpu, number, mask) == kind


def test_a_book_reads_events_by_its_own_cpu() -> None:
    book = CodeBook("p4-ht")

    assert book.event_kind(0x1D, 0x1) == Kind.CYCLES
    assert book.event_kind(0x3C, 0x0) is None  # Core 2's clock
