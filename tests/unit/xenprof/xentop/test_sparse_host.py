"""xentop on a host that knows only names and running times."""

from dataclasses import replace

import pytest

from hypervisor.telemetry import DomainSnapshot, VbdSnapshot, VcpuSnapshot, VifSnapshot
from tests.support.sparse_host import sparse
from tests.support.talk_host import HOST
from tests.support.xentop_screen import WIDE, Service, look
from xenprof.xentop.forms import XENTOP_3
from xenprof.xentop.span import Span
from xenprof.xentop.table import summary, table
from xenprof.xentop.view import View

SHOWN = View(networks=True, vbds=True, vcpus=True)
DEVICES = DomainSnapshot(
    7, "web", vcpus=(VcpuSnapshot(0),), vifs=(VifSnapshot(0),), vbds=(VbdSnapshot(51712),)
)


def test_the_summary_makes_nothing_up():
    assert (
        "xentop - 10:00:10   Xen -",
        "3 domains: - running, - blocked, - paused, - crashed, - dying, - shutdown ",
        "Mem: - total, - used, - free    CPUs: - @ -MHz",
    ) == summary(sparse())


def test_the_screen_shows_what_is_known():
    sight = look("x", service=Service(sparse(10), sparse(20)), size=WIDE)

    assert (["0.0", "10.0", "25.0"], ["-", "-", "-"]) == (
        sight.column("CPU(%)"),
        sight.column("MEM(k)"),
    )


@pytest.mark.parametrize("key", ["n", "b", "v"])
def test_details_of_nothing_known_keep_the_screen_alive(key):
    assert "web" in look(key, service=Service(sparse(10), sparse(20))).names


def test_details_of_which_nothing_is_counted_are_dashes():
    host = replace(sparse(), domains=(DEVICES,))

    assert [
        "VCPUs(sec):   0:          -s",
        "Net0 RX:        -bytes        -pkts        -err        -drop  "
        "TX:        -bytes        -pkts        -err        -drop",
        "VBD 51712 [ca: 0]  OO:        -   RD:        -   WR:        -",
    ] == [line.text for line in table(Span(host), SHOWN, XENTOP_3)][2:]


NUMBERS = ("CPU(sec)", "CPU(%)", "MEM(k)", "MEM(%)", "MAXMEM(k)", "MAXMEM(%)", "VCPUS")


@pytest.mark.parametrize("head", NUMBERS)
def test_who_is_unknown_comes_last_in_the_order_of_a_number(head):
    host = replace(HOST, domains=(DomainSnapshot(99, "aaa"), *HOST.domains))
    view = View(sort=[column.head for column in XENTOP_3.columns].index(head))

    assert "aaa" == list(table(Span(host), view, XENTOP_3))[-1].cells[0].strip()
