"""The transactions of TPC-C, and what the engines of databases do for them.

All amounts are judgement inside what is known of such loads: 0.5 to 0.8 million instructions, 0.7
to 1 ms of a P4 at 3.2 GHz, 40 to 60 logical reads, 2 to 3 KiB of redo, 1 to 3 data pages written,
25 to 40 system calls and 15 to 25 context switches for a transaction.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """A transaction. `share` and `cycles_percent` are percent of all, and of the mean.

    `reads`: of pages that are chosen by chance; all others are always in the cache.
    """

    name: str
    share: int
    cycles_percent: int
    reads: int
    dirtied_pages: int
    redo_bytes: int


NEW_ORDER: Final = "new_order"
# Source of the shares: TPC-C, clause 5.2.3. A new order reads a customer and the stock of ten
# items, a payment a customer by name, a delivery ten customers, stock level the stock of items.
KINDS: Final = (
    Kind(NEW_ORDER, 45, 130, 11, 3, 3600),
    Kind("payment", 43, 50, 2, 2, 1800),
    Kind("delivery", 4, 240, 10, 4, 6000),
    Kind("order_status", 4, 50, 2, 0, 0),
    Kind("stock_level", 4, 180, 10, 0, 0),
)
LOGICAL_READS: Final = 50
PROGRAM_UNITS: Final = 2100  # in thousands of cycles of a P4, of the mean transaction
CALLS: Final = 5  # of a client, for a transaction
REQUEST_BYTES: Final = 250
ANSWER_BYTES: Final = 400
