"""The databases that there are: their programs, and how they differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Product:
    """A database. `bits`: how many of the 13 that TPC-C chooses items by decide about a page.

    The stock of an item has 306 bytes. `compute`, `log` and `writer` are what it executes for 1000
    cycles of a transaction, for a write of its log, and for a page that is written.
    """

    program: str
    compute: str
    log: str
    writer: str
    page_bytes: int
    bits: int
    log_block_bytes: int
    has_engines: bool  # schedules its users itself, in a process for each processor


PRODUCTS: Final[Mapping[str, Product]] = {
    "oracle": Product(
        program="/u01/app/oracle/product/10.2.0/db_1/bin/oracle",
        compute="oracle_compute",
        log="oracle_log",
        writer="oracle_writer",
        page_bytes=8192,
        bits=8,
        log_block_bytes=512,
        has_engines=False,
    ),
    "sybase": Product(
        program="/opt/sybase/ASE-12_5/bin/dataserver",
        compute="sybase_compute",
        log="sybase_log",
        writer="sybase_writer",
        page_bytes=2048,
        bits=10,
        log_block_bytes=2048,
        has_engines=True,
    ),
}
"""By the `engine` of a workload."""
