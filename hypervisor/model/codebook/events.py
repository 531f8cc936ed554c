"""Maps (event number, unit mask) of a cpu type to the Kind that a programmed counter counts.

Only events that the model can distinguish are here; the tools accept every other event, which
counts nothing. Numbers and masks are oprofile's.
"""

from collections.abc import Mapping
from enum import IntEnum


class Kind(IntEnum):
    """A kind of event that work produces and a counter can count; the index of the rate tables."""

    CYCLES = 0
    INSTRUCTIONS = 1
    UOPS = 2
    BRANCHES = 3
    BRANCH_MISSES = 4
    L1D_MISSES = 5
    L2_REFERENCES = 6
    L2_MISSES = 7
    DTLB_MISSES = 8
    ITLB_MISSES = 9
    BUS_TRANSACTIONS = 10
    L1D_REFERENCES = 11
    L1I_MISSES = 12
    ITLB_REFERENCES = 13
    BRANCHES_TAKEN = 14
    FLOATING_POINT = 15
    MACHINE_CLEARS = 16
    TLB_WALKS = 17


MEASURES: Mapping[Kind, str] = {
    Kind.CYCLES: "cycles",
    Kind.INSTRUCTIONS: "instructions",
    Kind.L2_MISSES: "cache_misses",  # of the last level that these processors have
}
"""The kinds whose events are counted for ratios: cycles per instruction, and the like."""

_ANY = -1  # any unit mask
_Row = tuple[int, Kind | None]  # (the bits that the mask may have, what it counts)
_Table = Mapping[int, tuple[_Row, ...]]

# The first row whose bits contain the whole mask wins: rows are ordered from narrow to wide, so
# that a mask for hits and misses counts references.
_BRANCHES: tuple[_Row, ...] = (
    # 1 predicted and 2 mispredicted not-taken, 4 predicted and 8 mispredicted taken
    (0xA, Kind.BRANCH_MISSES),
    (0xC, Kind.BRANCHES_TAKEN),
    (_ANY, Kind.BRANCHES),
)
_P4: _Table = {
    0x01: _BRANCHES,  # BRANCH_RETIRED
    0x02: ((0x1, Kind.BRANCH_MISSES),),  # MISPRED_BRANCH_RETIRED
    0x05: ((0x2, Kind.ITLB_MISSES), (_ANY, Kind.ITLB_REFERENCES)),  # ITLB_REFERENCE
    # PAGE_WALK_TYPE
    0x0B: (
        (0x1, Kind.DTLB_MISSES),
        (0x2, Kind.ITLB_MISSES),
        (_ANY, Kind.TLB_WALKS),
    ),  # PAGE_WALK_TYPE
    # BSQ_CACHE_REFERENCE: 0x7 hits in L2, 0x500 misses in L2, 0x38 hits and 0x200 misses in L3.
    # This Xeon has no L3: there are no hits in it, and misses in L2 go to memory.
    0x0C: ((0x38, None), (0x738, Kind.L2_MISSES), (_ANY, Kind.L2_REFERENCES)),
    0x0D: ((_ANY, Kind.BUS_TRANSACTIONS),),  # IOQ_ALLOCATION
    0x0F: ((_ANY, Kind.BUS_TRANSACTIONS),),  # FSB_DATA_ACTIVITY
    0x10: ((_ANY, Kind.BUS_TRANSACTIONS),),  # BSQ_ALLOCATION
    0x14: ((_ANY, Kind.FLOATING_POINT),),  # PACKED_SP_UOP
    0x15: ((_ANY, Kind.FLOATING_POINT),),  # PACKED_DP_UOP
    0x16: ((_ANY, Kind.FLOATING_POINT),),  # SCALAR_SP_UOP
    0x17: ((_ANY, Kind.FLOATING_POINT),),  # SCALAR_DP_UOP
    0x1A: ((_ANY, Kind.FLOATING_POINT),),  # X87_FP_UOP
    0x1C: ((_ANY, Kind.MACHINE_CLEARS),),  # MACHINE_CLEAR
    0x1D: ((0x1, Kind.CYCLES),),  # GLOBAL_POWER_EVENTS
    0x1F: ((_ANY, Kind.UOPS),),  # UOP_QUEUE_WRITES
    0x23: ((0x3, Kind.INSTRUCTIONS),),  # INSTR_RETIRED, non-bogus
    0x24: ((0x1, Kind.UOPS),),  # UOPS_RETIRED, non-bogus
    0x26: ((_ANY, Kind.BRANCH_MISSES),),  # RETIRED_MISPRED_BRANCH_TYPE
    0x27: ((_ANY, Kind.BRANCHES),),  # RETIRED_BRANCH_TYPE
}

# L2 events of Core 2: the low nibble of the mask is the MESI state found; I (1) is a miss.
_L2_MESI: tuple[_Row, ...] = ((0xF1, Kind.L2_MISSES), (_ANY, Kind.L2_REFERENCES))

_CORE_2: _Table = {
    0x08: ((_ANY, Kind.DTLB_MISSES),),  # DTLB_MISSES
    0x0C: ((_ANY, Kind.TLB_WALKS),),  # PAGE_WALKS
    0x10: ((_ANY, Kind.FLOATING_POINT),),  # FLOPS
    0x24: ((_ANY, Kind.L2_MISSES),),  # L2_LINES_IN
    0x2E: _L2_MESI,  # L2_RQSTS, LLC_REFS (0x4f), LLC_MISSES (0x41)
    0x28: _L2_MESI,  # L2_IFETCH
    0x29: _L2_MESI,  # L2_LD
    0x2A: _L2_MESI,  # L2_ST
    0x3C: ((_ANY, Kind.CYCLES),),  # CPU_CLK_UNHALTED
    0x40: ((_ANY, Kind.L1D_REFERENCES),),  # L1D_CACHE_LD
    0x43: ((_ANY, Kind.L1D_REFERENCES),),  # L1D_ALL_REF
    0x45: ((_ANY, Kind.L1D_MISSES),),  # L1D_REPL
    0x6F: ((_ANY, Kind.BUS_TRANSACTIONS),),  # BUS_TRAN_MEM
    0x70: ((_ANY, Kind.BUS_TRANSACTIONS),),  # BUS_TRAN_ANY
    0x81: ((_ANY, Kind.L1I_MISSES),),  # L1I_MISSES
    0x82: ((_ANY, Kind.ITLB_MISSES),),  # ITLB
    0x88: ((_ANY, Kind.BRANCHES),),  # BR_INST_EXEC
    0x89: ((_ANY, Kind.BRANCH_MISSES),),  # BR_MISSP_EXEC
    0xA0: ((_ANY, Kind.UOPS),),  # RS_UOPS_DISPATCHED
    0xC0: ((_ANY, Kind.INSTRUCTIONS),),  # INST_RETIRED, INST_RETIRED_ANY_P
    0xC1: ((_ANY, Kind.FLOATING_POINT),),  # X87_OPS_RETIRED
    0xC2: ((_ANY, Kind.UOPS),),  # UOPS_RETIRED
    0xC3: ((_ANY, Kind.MACHINE_CLEARS),),  # MACHINE_NUKES_SMC
    0xC4: _BRANCHES,  # BR_INST_RETIRED
    0xC5: ((_ANY, Kind.BRANCH_MISSES),),  # BR_MISS_PRED_RETIRED
    0xC9: ((_ANY, Kind.ITLB_MISSES),),  # ITLB_MISS_RETIRED
    0xCB: (
        # MEM_LOAD_RETIRED
        (0x03, Kind.L1D_MISSES),
        (0x0C, Kind.L2_MISSES),
        (0x10, Kind.DTLB_MISSES),
    ),
}

_HAMMER: _Table = {
    0x00: ((_ANY, Kind.FLOATING_POINT),),  # DISPATCHED_FPU_OPS
    0x40: ((_ANY, Kind.L1D_REFERENCES),),  # DATA_CACHE_ACCESSES
    0x41: ((_ANY, Kind.L1D_MISSES),),  # DATA_CACHE_MISSES
    0x42: ((_ANY, Kind.L1D_MISSES),),  # DATA_CACHE_REFILLS_FROM_L2_OR_SYSTEM
    0x43: ((_ANY, Kind.L2_MISSES),),  # DATA_CACHE_REFILLS_FROM_SYSTEM
    0x46: ((_ANY, Kind.DTLB_MISSES),),  # L1_DTLB_AND_L2_DTLB_MISS
    0x65: ((_ANY, Kind.BUS_TRANSACTIONS),),  # MEMORY_REQUESTS
    0x6C: ((_ANY, Kind.BUS_TRANSACTIONS),),  # SYSTEM_READ_RESPONSES
    0x76: ((_ANY, Kind.CYCLES),),  # CPU_CLK_UNHALTED
    0x7D: ((_ANY, Kind.L2_REFERENCES),),  # REQUESTS_TO_L2
    0x7E: ((_ANY, Kind.L2_MISSES),),  # L2_CACHE_MISS
    0x81: ((_ANY, Kind.L1I_MISSES),),  # INSTRUCTION_CACHE_MISSES
    0x85: ((_ANY, Kind.ITLB_MISSES),),  # L1_ITLB_MISS_AND_L2_ITLB_MISS
    0xC0: ((_ANY, Kind.INSTRUCTIONS),),  # RETIRED_INSTRUCTIONS
    0xC1: ((_ANY, Kind.UOPS),),  # RETIRED_UOPS
    0xC2: ((_ANY, Kind.BRANCHES),),  # RETIRED_BRANCH_INSTRUCTIONS
    0xC3: ((_ANY, Kind.BRANCH_MISSES),),  # RETIRED_MISPREDICTED_BRANCH_INSTRUCTIONS
    0xC4: ((_ANY, Kind.BRANCHES_TAKEN),),  # RETIRED_TAKEN_BRANCH_INSTRUCTIONS
    0xCB: ((_ANY, Kind.FLOATING_POINT),),  # RETIRED_MMX_FP_INSTRUCTIONS
    0xE0: ((_ANY, Kind.BUS_TRANSACTIONS),),  # DRAM_ACCESSES
}

_TABLES: Mapping[str, _Table] = {"p4": _P4, "p4-ht": _P4, "core_2": _CORE_2, "hammer": _HAMMER}


def event_kind(cpu_type: str, event_number: int, unit_mask: int) -> Kind | None:
    """Return what the event counts in the model, or None if it counts nothing.

    Source: oprofile's event and unit mask tables; which bits mean the same is our judgement.
    Raises: KeyError for an unknown cpu type.
    """
    for bits, kind in _TABLES[cpu_type].get(event_number, ()):
        if not unit_mask & ~bits:
            return kind
    return None
