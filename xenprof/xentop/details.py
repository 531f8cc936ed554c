"""The lines below a domain: its vcpus, its interfaces, its disks.

Source: xentop.c (3.0.3 and 4.17), do_vcpu, do_network and do_vbd.
"""

from collections.abc import Iterator

from hypervisor.telemetry import DomainSnapshot, VbdSnapshot, VcpuSnapshot, VifSnapshot
from hypervisor.telemetry.unknown import shown, whole
from xenprof.xentop.columns import SECTOR_BYTES, not_tapped
from xenprof.xentop.view import View

_VCPUS_OF_A_LINE = 5


def details_3(domain: DomainSnapshot, view: View) -> Iterator[str]:
    """Yield the lines of xentop 3.0.3."""
    if view.vcpus:
        cells = [_vcpu_cell(vcpu) for vcpu in domain.vcpus if vcpu.online is not False]
        yield from _vcpu_lines([cells[n : n + 5] for n in range(0, len(cells), _VCPUS_OF_A_LINE)])
    if view.networks:
        for vif in domain.vifs:
            yield _network_line(vif.index, _received(vif), _transmitted(vif))
    if view.vbds:
        yield from map(_vbd_line_3, not_tapped(domain))


def details_4(domain: DomainSnapshot, view: View) -> Iterator[str]:
    """Yield the lines of xentop 4.17: interfaces are numbered as they come, disks have sectors.

    What an interface receives is what domain 0 receives from it, and the guest transmits.
    """
    if view.vcpus:
        yield from _vcpu_lines(_vcpu_rows_4(domain))
    if view.networks:
        for number, vif in enumerate(domain.vifs):
            yield _network_line(number, _transmitted(vif), _received(vif))
    if view.vbds:
        yield from map(_vbd_line_4, domain.vbds)


def details_of_guests(domain: DomainSnapshot, view: View) -> Iterator[str]:
    """Yield the same lines, with interfaces as the guest knows them."""
    if view.vcpus:
        yield from _vcpu_lines(_vcpu_rows_4(domain))
    if view.networks:
        for vif in domain.vifs:
            yield _network_line(vif.index, _received(vif), _transmitted(vif))
    if view.vbds:
        yield from map(_vbd_line_4, domain.vbds)


def _vcpu_cell(vcpu: VcpuSnapshot) -> str:
    return f" {vcpu.vcpu:2}: {shown(whole(vcpu.running_ns, 10**9)):>10}s"


def _vcpu_lines(rows: list[list[str]]) -> Iterator[str]:
    yield "VCPUs(sec): " + "".join(rows[0] if rows else ())
    for row in rows[1:]:
        yield " " * 8 + "".join(row)


def _vcpu_rows_4(domain: DomainSnapshot) -> list[list[str]]:
    """Return the cells by line: one begins at every fifth vcpu, if that is online."""
    rows: list[list[str]] = [[]]
    for vcpu in domain.vcpus:
        if vcpu.online is not False:
            if vcpu.vcpu and vcpu.vcpu % _VCPUS_OF_A_LINE == 0:
                rows.append([])
            rows[-1].append(_vcpu_cell(vcpu))
    return rows


def _network_line(number: int, receive: str, transmit: str) -> str:
    return f"Net{number} RX: {receive}  TX: {transmit}"


def _received(vif: VifSnapshot) -> str:
    return _traffic(vif.receive_bytes, vif.receive_packets, vif.receive_errors, vif.receive_dropped)


def _transmitted(vif: VifSnapshot) -> str:
    return _traffic(
        vif.transmit_bytes, vif.transmit_packets, vif.transmit_errors, vif.transmit_dropped
    )


def _traffic(*counts: int | None) -> str:
    octets, packets, errors, dropped = (f"{shown(count):>8}" for count in counts)
    return f"{octets}bytes {packets}pkts {errors}err {dropped}drop"


def _place(vbd: VbdSnapshot) -> str:
    major, minor = vbd.device >> 8, vbd.device & 255
    return f"{vbd.device:4} [{major:2x}:{minor:2x}]"


def _requests(vbd: VbdSnapshot) -> str:
    waited, read, written = (
        f"{shown(count):>8}"
        for count in (vbd.out_of_requests, vbd.read_requests, vbd.write_requests)
    )
    return f"OO: {waited}   RD: {read}   WR: {written}"


def _vbd_line_3(vbd: VbdSnapshot) -> str:
    return f"VBD {_place(vbd)}  {_requests(vbd)}"


def _vbd_line_4(vbd: VbdSnapshot) -> str:
    read, written = (
        f"{shown(whole(octets, SECTOR_BYTES)):>10}" for octets in (vbd.read_bytes, vbd.write_bytes)
    )
    return (
        f"VBD {_backend_4(vbd)} {_place(vbd)}  {_requests(vbd)}   RSECT: {read}   WSECT: {written}"
    )


def _backend_4(vbd: VbdSnapshot) -> str:
    """Return what serves a disk; only blkback counts that it is out of requests."""
    if (vbd.backend or "").startswith("tap"):
        return "BlkTap"
    return "Unidentified" if vbd.out_of_requests is None else "BlkBack"
