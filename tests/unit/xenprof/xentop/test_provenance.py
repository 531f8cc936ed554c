from dataclasses import replace

import pytest

from hypervisor.telemetry.sources import DATA_KINDS, DATA_SOURCES
from tests.support.sparse_host import sparse
from tests.support.talk_host import HOST
from xenprof.xentop.provenance import REASONS, SOURCES, provenance
from xenprof.xentop.span import Span


def lines(host, cells=120):
    return [line.text.rstrip() for line in provenance(Span(host), cells)]


def test_each_kind_of_data_has_a_reason_why_it_may_be_unknown():
    assert set(DATA_KINDS) == set(REASONS)


def test_each_source_is_explained():
    assert set(DATA_SOURCES) == set(SOURCES)


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (
            {"runstates": "sampled"},
            "runstates       sampled   estimated from samples, shown with ~",
        ),
        (
            {"vif": "sysfs"},
            "runstates       -         unknown: a stock Xen tells only running times: sample the vcpus' flags, or trace",
        ),
        ({}, "runstates       ?         this host does not say where its data come from"),
    ],
)
def test_a_line_tells_where_a_kind_comes_from_or_why_it_is_unknown(sources, expected):
    assert expected == lines(replace(HOST, sources=sources))[2]


def test_columns_that_show_dashes_are_listed():
    found = [line for line in lines(sparse(), 90) if line.startswith("COLUMNS")]

    assert [
        "COLUMNS WITH -            STATE 2 of 3, CPU(%) 3 of 3, STEAL(%) 3 of 3, CAPPED(%) 3 of 3,"
    ] == found


def test_a_long_text_is_wrapped():
    assert all(len(line) <= 60 for line in lines(sparse(), 60)[1:])


def test_the_name_of_a_source_cannot_command_a_terminal():
    seen = replace(HOST, sources={"runstates": "\x1b]0;pwned\x07"})

    assert "runstates       ?]0;pwne+" == lines(seen)[2]
