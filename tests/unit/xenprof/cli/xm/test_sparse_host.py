"""xm on a host that knows only names and running times."""

from dataclasses import replace

import pytest

from tests.support.sparse_host import sparse
from xenprof.cli.xm.told import credit_note, memory_note, vcpus_note

LIST = """\
Name                                      ID   Mem VCPUs      State   Time(s)
Domain-0                                   0     -     -     r-----      1.0
db                                         2     -     -          -      0.0
web                                        1     -     -          -      2.5
"""
TOP = """\
      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) NETRX(k) VBDS   VBD_OO   VBD_RD   VBD_WR SSID
        db      -          0    0.0          -      -          -         -     -    -        -        -    -        -        -        -    0
  Domain-0 -----r          1    0.0          -      -          -         -     -    -        -        -    -        -        -        -    0
       web      -          2    0.0          -      -          -         -     -    -        -        -    -        -        -        -    0
"""
UPTIME = """\
Name                              ID Uptime
Domain-0                           0  0:00:10
db                                 2 -
web                                1 -
"""


@pytest.fixture
def sparse_xm(xm):
    """Run xm in front of such a host without a toolstack."""

    def run(*words):
        return xm(*words, hosts=[sparse()], managed={"domains": []})

    return run


@pytest.mark.parametrize(
    ("words", "out"), [(["list"], LIST), (["top", "-b", "-i", "1"], TOP), (["uptime"], UPTIME)]
)
def test_what_is_unknown_is_a_dash(sparse_xm, words, out):
    assert (0, out, "") == sparse_xm(*words)


def test_a_host_that_knows_no_vcpus_lists_none(sparse_xm):
    code, out, error = sparse_xm("vcpu-list")

    assert (0, 1, "") == (code, len(out.splitlines()), error)


def test_credits_cannot_be_shown_without_a_scheduler(sparse_xm):
    assert (1, "", "Error: This host does not know its scheduler\n") == sparse_xm("sched-credit")


def test_weights_that_are_unknown_are_dashes(xm):
    _, out, _ = xm("sched-credit", hosts=[replace(sparse(), scheduler="credit", tools="3.1")])

    assert ["0      -    -", "2      -    -", "1      -    -"] == [
        line[35:].rstrip() for line in out.splitlines()[1:]
    ]


def test_nothing_is_noted_of_what_is_unknown():
    host = sparse()

    assert ("", "", "") == (
        memory_note(host, "web", 512),
        vcpus_note(host, "web", 4),
        credit_note(host, "web", ""),
    )
