"""xentop of 4.17: what the recorded outputs do not show."""

from dataclasses import replace

import pytest

from hypervisor.telemetry import (
    DomainSnapshot,
    HostSnapshot,
    VbdSnapshot,
    VcpuSnapshot,
    VifSnapshot,
)
from tests.support.talk_host import HOST
from tests.support.xentop_screen import later
from xenprof.xentop.forms import XENPROF, XENTOP_3, XENTOP_4, XENTOP_4_FULL, xentop_form
from xenprof.xentop.span import Span
from xenprof.xentop.table import head, table
from xenprof.xentop.view import View

LONG = "a-name-of-nineteen-"
DISK = VbdSnapshot(
    51712, "xvda", "phy:/dev/a", "w", read_requests=7, write_requests=8, read_bytes=1024,
    write_bytes=2048, out_of_requests=0,
)  # fmt: skip
SILENT = VbdSnapshot(51728, "xvdb", "qdisk:/b", "w")


def host(*domains, **known):
    return HostSnapshot(1, 10**9, 10**18, "xen", xen_major=4, domains=domains, **known)


def rows(now, form=XENTOP_4, **view):
    return [line.text for line in table(Span(now), View(**view), form)]


def cell(now, head_text, form=XENTOP_4):
    number = [column.head for column in form.columns].index(head_text)
    return list(table(Span(now), View(), form))[1].cells[number].strip()


@pytest.mark.parametrize(
    ("major", "form"), [(None, XENTOP_3), (3, XENTOP_3), (4, XENTOP_4), (5, XENTOP_4)]
)
def test_the_hosts_xen_says_whose_table_it_is(major, form):
    assert form is xentop_form(replace(HOST, xen_major=major), View())


def test_full_names_have_a_form_of_their_own():
    assert XENTOP_4_FULL is xentop_form(host(), View(has_full_names=True))


def test_a_long_name_is_cut():
    assert f"{LONG[:10]} ------" == rows(host(DomainSnapshot(1, LONG, running=False)))[1][:17]


def test_a_full_name_widens_its_column():
    lines = rows(host(DomainSnapshot(1, LONG), DomainSnapshot(2, "b")), XENTOP_4_FULL)

    assert ["               NAME", LONG, "                  b"] == [line[:19] for line in lines]


def test_the_column_of_names_never_gets_narrower_again():
    form = XENTOP_4_FULL.holding(host(DomainSnapshot(1, LONG))).holding(
        host(DomainSnapshot(2, "b"))
    )

    assert "               NAME" == head(form).text[:19]


@pytest.mark.parametrize(
    ("requests", "expected"),
    [(99_999_998, "  VBD_RD"), (99_999_999, "   VBD_RD"), (1_000_000_000, "    VBD_RD")],
)
def test_a_column_has_room_for_one_more_than_its_greatest_number(requests, expected):
    disk = replace(DISK, read_requests=requests)
    number = [column.head for column in XENTOP_4.columns].index("VBD_RD")
    first = next(table(Span(host(DomainSnapshot(1, "a", vbds=(disk,)))), View(), XENTOP_4))

    assert expected == first.cells[number]


def test_a_line_of_vcpus_ends_before_each_fifth_number():
    vcpus = tuple(VcpuSnapshot(n, online=n not in (1, 10), running_ns=0) for n in range(12))
    lines = rows(host(DomainSnapshot(1, "a", vcpus=vcpus)), vcpus=True)[2:]

    assert [4, 6] == [line.count("s ") + line.endswith("s") for line in lines]


def test_interfaces_are_numbered_as_they_come():
    lines = rows(host(DomainSnapshot(1, "a", vifs=(VifSnapshot(3), VifSnapshot(7)))), networks=True)

    assert ["Net0 RX:", "Net1 RX:"] == [line[:8] for line in lines[2:]]


VIF = VifSnapshot(
    0, receive_bytes=1024, receive_packets=1, receive_errors=2, receive_dropped=3,
    transmit_bytes=4096, transmit_packets=4, transmit_errors=5, transmit_dropped=6,
)  # fmt: skip


@pytest.mark.parametrize(
    ("form", "transmitted_kib", "received_kib"),
    [(XENTOP_3, "4", "1"), (XENTOP_4, "1", "4"), (XENPROF, "4", "1")],
)
def test_from_xen_4_on_xentop_shows_traffic_as_domain_0_sees_it(
    form, transmitted_kib, received_kib
):
    now = host(DomainSnapshot(1, "a", vifs=(VIF,)))

    assert [transmitted_kib, received_kib] == [
        cell(now, head, form) for head in ("NETTX(k)", "NETRX(k)")
    ]


@pytest.mark.parametrize(("form", "first"), [(XENTOP_3, 1024), (XENTOP_4, 4096), (XENPROF, 1024)])
def test_an_interface_receives_what_the_form_says(form, first):
    line = rows(host(DomainSnapshot(1, "a", vifs=(VIF,))), form, networks=True)[2]

    assert f"Net0 RX: {first:>8}bytes" == line[:22]


@pytest.mark.parametrize(
    ("disk", "expected"),
    [
        (
            DISK,
            "VBD BlkBack 51712 [ca: 0]  OO:        0   RD:        7   WR:        8   RSECT:          2   WSECT:          4",
        ),
        (
            SILENT,
            "VBD Unidentified 51728 [ca:10]  OO:        -   RD:        -   WR:        -   RSECT:          -   WSECT:          -",
        ),
        (
            replace(DISK, backend="tap:aio:/a"),
            "VBD BlkTap 51712 [ca: 0]  OO:        0   RD:        7   WR:        8   RSECT:          2   WSECT:          4",
        ),
    ],
)
def test_a_disk_has_a_line_with_its_backend_and_sectors(disk, expected):
    assert expected == rows(host(DomainSnapshot(1, "a", vbds=(disk,))), vbds=True)[2]


@pytest.mark.parametrize(
    ("disks", "expected"),
    [((DISK, SILENT), "7"), ((SILENT,), "-"), ((), "0"), ((DISK, DISK), "14")],
)
def test_a_disk_that_cannot_be_read_out_is_left_out_of_the_sums(disks, expected):
    assert expected == cell(host(DomainSnapshot(1, "a", vbds=disks)), "VBD_RD")


def test_vcpus_are_counted_up_to_the_highest_number():
    vcpus = (VcpuSnapshot(0), VcpuSnapshot(3))

    assert "4" == cell(host(DomainSnapshot(1, "a", vcpus=vcpus)), "VCPUS")


def waiting(runnable_ns, capped_ns, cpu_ns=0):
    vcpu = VcpuSnapshot(0, runnable_ns=runnable_ns, capped_ns=capped_ns)
    return DomainSnapshot(1, "a", uuid="u", cpu_ns=cpu_ns, vcpus=(vcpu,))


def percents(before, now, source):
    sources = {"runstates": source, "vcpu_time": "hypercall"}
    first = host(before, sources=sources)
    then = replace(later(first, 1), domains=(now,))
    line = list(table(Span(first).then(then), View(), XENPROF))[1]
    heads = [column.head for column in XENPROF.columns]
    return [line.cells[heads.index(name)].strip() for name in ("CPU(%)", "STEAL(%)", "CAPPED(%)")]


def test_steal_and_capped_time_are_shown_beside_the_used_time():
    now = waiting(250_000_000, 100_000_000, 500_000_000)

    assert ["50.0", "25.0", "10.0"] == percents(waiting(0, 0), now, "hypercall")


def test_what_is_estimated_from_samples_is_marked():
    now = waiting(250_000_000, 100_000_000, 500_000_000)

    assert ["50.0", "~25.0", "~10.0"] == percents(waiting(0, 0), now, "sampled")


def test_what_is_unknown_is_a_dash():
    assert ["0.0", "-", "-"] == percents(waiting(None, None), waiting(None, None), "hypercall")


def test_our_own_table_makes_up_no_percentage_for_the_first_look():
    assert ["-", "-", "-"] == [
        cell(host(waiting(0, 0)), name, XENPROF) for name in ("CPU(%)", "STEAL(%)", "CAPPED(%)")
    ]


def test_a_very_long_name_is_shortened_in_our_own_table():
    assert "x" * 23 + "+" == cell(host(DomainSnapshot(1, "x" * 99)), "NAME", XENPROF)


@pytest.mark.parametrize("form", [XENTOP_3, XENTOP_4, XENTOP_4_FULL, XENPROF])
def test_no_name_breaks_a_line(form):
    evil = DomainSnapshot(1, "a\nb\x1b[31m\u202e")

    assert "a?b?[31m" in cell(host(evil), "NAME", form)
