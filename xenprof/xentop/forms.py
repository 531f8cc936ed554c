"""The forms of the table: xentop's of 3.0.3 and of 4.17, and our own with more columns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from hypervisor.telemetry.unknown import whole
from xenprof.xentop import columns
from xenprof.xentop.columns import (
    SECTOR_BYTES,
    Column,
    all_disks,
    disk_count,
    disk_total,
    growing,
    not_tapped,
)
from xenprof.xentop.details import details_3, details_4, details_of_guests
from xenprof.xentop.span import Row
from xenprof.xentop.view import View


@dataclass(frozen=True, slots=True)
class Form:
    """The columns of a table, and the lines below each domain."""

    columns: tuple[Column, ...]
    details: Callable[[DomainSnapshot, View], Iterator[str]]

    def holding(self, host: HostSnapshot) -> "Form":
        """Return the form with a column of names that holds all of a host's.

        It never gets narrower again, as in xentop; columns of numbers do.
        """
        return replace(
            self, columns=(self._fitted(0, [Row(d, host) for d in host.domains]), *self.columns[1:])
        )

    def fitted(self, rows: list[Row]) -> "Form":
        """Return the form with columns as wide as these rows need."""
        fitted = tuple(self._fitted(number, rows) for number in range(len(self.columns)))
        return replace(self, columns=fitted)

    def _fitted(self, number: int, rows: list[Row]) -> Column:
        column = self.columns[number]
        if column.room is None:
            return column
        return replace(column, width=max(column.width, *map(column.room, rows), 0))


def _disks_4() -> tuple[Column, ...]:
    return (
        disk_count(all_disks),
        disk_total("VBD_OO", 8, lambda vbd: vbd.out_of_requests, all_disks),
        growing(disk_total("VBD_RD", 8, lambda vbd: vbd.read_requests, all_disks)),
        growing(disk_total("VBD_WR", 8, lambda vbd: vbd.write_requests, all_disks)),
        growing(
            disk_total("VBD_RSECT", 10, lambda vbd: whole(vbd.read_bytes, SECTOR_BYTES), all_disks)
        ),
        growing(
            disk_total("VBD_WSECT", 10, lambda vbd: whole(vbd.write_bytes, SECTOR_BYTES), all_disks)
        ),
    )


_TIMES = (columns.STATE, columns.CPU_SECONDS)
XENTOP_3 = Form(
    (
        columns.NAME,
        *_TIMES,
        columns.CPU_PERCENT,
        *columns.MEMORY,
        columns.VCPUS,
        columns.NETS,
        columns.TRANSMITTED,
        columns.RECEIVED,
        disk_count(not_tapped),
        disk_total("VBD_OO", 8, lambda vbd: vbd.out_of_requests, not_tapped),
        disk_total("VBD_RD", 8, lambda vbd: vbd.read_requests, not_tapped),
        disk_total("VBD_WR", 8, lambda vbd: vbd.write_requests, not_tapped),
        columns.SSID,
    ),
    details_3,
)
"""xentop of 3.0.3: it never cuts a name."""
XENTOP_4 = Form(
    (
        columns.NAME_CUT,
        *_TIMES,
        columns.CPU_PERCENT,
        *columns.MEMORY,
        columns.VCPUS,
        columns.NETS,
        growing(columns.DOM0_TRANSMITTED),
        growing(columns.DOM0_RECEIVED),
        *_disks_4(),
        columns.SSID,
    ),
    details_4,
)
"""xentop of 4.17."""
XENTOP_4_FULL = replace(XENTOP_4, columns=(columns.NAME_IN_FULL, *XENTOP_4.columns[1:]))
"""The same with -f."""
XENPROF = Form(
    (
        columns.NAME_SHORTENED,
        *_TIMES,
        columns.USED_PERCENT,
        columns.STEAL_PERCENT,
        columns.CAPPED_PERCENT,
        *columns.MEMORY,
        columns.VCPUS,
        columns.NETS,
        growing(columns.TRANSMITTED),
        growing(columns.RECEIVED),
        *_disks_4(),
    ),
    details_of_guests,
)
"""`xenprof top`: what a host does not know is `-`, also before there is something to compare.

What an interface transmits is what the guest sends, as in all metrics.
"""


def xentop_form(host: HostSnapshot, view: View) -> Form:
    """Return the form of the xentop that came with a host's Xen."""
    if host.xen_major is None or host.xen_major < 4:
        return XENTOP_3
    return XENTOP_4_FULL if view.has_full_names else XENTOP_4
