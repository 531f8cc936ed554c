"""What every format preserves, for any profile."""

import csv
import gzip
import io
import json
import re
import xml.etree.ElementTree as ElementTree

import fastjsonschema
import numpy as np
import pytest

from tests.support.paths import TESTS
from tests.support.pprof_proto import decoded
from tests.support.stack_profiles import CYCLES, HOSTILE, flat, for_any, profile, profiles, scaled
from xenprof.profile.stacks import StackProfile
from xenprof.report.formats import FORMATS, load
from xenprof.report.formats.otlp import message
from xenprof.report.formats.request import Request

FIXTURES = TESTS / "fixtures"
SVG = "{http://www.w3.org/2000/svg}"
STACK_FORMATS = [name for name, row in FORMATS.items() if row.shows != "trace"]


def rendered(name: str, request: Request) -> bytes:
    return b"".join(load(name)(request))


def html_data(page: bytes) -> dict:
    text = page.decode()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    data: dict = json.loads(found[1])
    return data


def by_domain_and_symbol(of) -> dict:
    """Return the samples of the first event by the domain and symbol that were running."""
    found: dict = {}
    for stack, count in zip(of.stacks, of.values[:, 0].tolist(), strict=True):
        frame = of.frames[stack[-1]]
        key = (frame.domain, frame.symbol or f"[{frame.image}]")
        found[key] = found.get(key, 0) + count
    return {key: count for key, count in found.items() if count}


@for_any(profiles())
def test_the_rows_of_json_add_up_to_the_totals(of):
    found = json.loads(rendered("json", Request(of)))
    sums = np.sum([row["self"] for row in found["rows"]] or [[0] * len(of.types)], axis=0)
    assert tuple(sums.tolist()) == of.totals


@for_any(profiles())
def test_the_rows_of_csv_add_up_to_the_totals(of):
    rows = list(csv.DictReader(io.StringIO(rendered("csv", Request(of)).decode())))
    sums = [sum(int(row[f"{kind.text} self"]) for row in rows) for kind in of.types]
    assert tuple(sums) == of.totals


@for_any(profiles())
def test_folded_lines_add_up_to_the_totals(of):
    lines = rendered("folded", Request(of)).decode().splitlines()
    assert sum(int(line.rpartition(" ")[2]) for line in lines) == of.totals[0]


@for_any(profiles())
def test_a_folded_line_is_a_stack_and_a_number(of):
    for line in rendered("folded", Request(of)).decode().split("\n")[:-1]:
        assert re.fullmatch(r"[^\x00-\x1f]+ \d+", line)


@for_any(profiles())
def test_speedscope_keeps_the_totals_of_each_event(of):
    found = json.loads(rendered("speedscope", Request(of)))
    assert tuple(sum(one["weights"]) for one in found["profiles"]) == of.totals


validate_speedscope = fastjsonschema.compile(
    json.loads((FIXTURES / "speedscope" / "file-format-schema.json").read_text())
)


@for_any(profiles())
def test_speedscope_is_as_its_schema_wants(of):
    found = json.loads(rendered("speedscope", Request(of, title="t")))
    assert validate_speedscope(found) == found


@for_any(profiles())
def test_pprof_keeps_samples_and_events(of):
    found = decoded(gzip.decompress(rendered("pprof", Request(of))))
    sums = [sum(column) for column in zip(*(sample.value for sample in found.sample), strict=True)]
    expected = [
        value
        for kind, total in zip(of.types, of.totals, strict=True)
        for value in (total, total * kind.period)
    ]
    assert [value % 2**64 for value in sums] == [value % 2**64 for value in expected]


@for_any(profiles())
def test_pprof_keeps_whose_the_samples_are(of):
    found = decoded(gzip.decompress(rendered("pprof", Request(of))))
    strings = list(found.string_table)
    names = {function.id: strings[function.name] for function in found.function}
    places = {place.id: names[place.line[0].function_id] for place in found.location}
    counts: dict = {}
    for sample in found.sample:
        labels = {strings[label.key]: strings[label.str] for label in sample.label}
        key = (labels["domain"], places[sample.location_id[0]])
        counts[key] = counts.get(key, 0) + sample.value[0]
    assert {key: count for key, count in counts.items() if count} == by_domain_and_symbol(of)


@for_any(profiles())
def test_pprof_refers_to_what_is_there(of):
    found = decoded(gzip.decompress(rendered("pprof", Request(of))))
    assert found.string_table[0] == ""
    locations = {place.id for place in found.location}
    assert {step for sample in found.sample for step in sample.location_id} <= locations
    assert {place.mapping_id for place in found.location} <= {one.id for one in found.mapping}
    functions = {one.id for one in found.function}
    assert {line.function_id for place in found.location for line in place.line} <= functions


def test_pprof_is_the_same_bytes_whenever_it_is_made():
    assert rendered("pprof", Request(profile()))[4:8] == bytes(4)  # gzip's time


@for_any(profiles())
def test_otlp_keeps_the_totals_of_each_event(of):
    found = message(of).resource_profiles[0].scope_profiles[0].profiles
    assert tuple(sum(sum(s.values) for s in one.samples) for one in found) == of.totals


@for_any(profiles())
def test_otlp_keeps_whose_the_samples_are(of):
    made = message(of)
    tables = made.dictionary
    strings = list(tables.string_table)
    counts: dict = {}
    for sample in made.resource_profiles[0].scope_profiles[0].profiles[0].samples:
        attributes = [tables.attribute_table[at] for at in sample.attribute_indices]
        values = {strings[one.key_strindex]: one.value.string_value for one in attributes}
        leaf = tables.location_table[tables.stack_table[sample.stack_index].location_indices[0]]
        name = strings[tables.function_table[leaf.lines[0].function_index].name_strindex]
        key = (values["xen.domain.name"], name)
        counts[key] = counts.get(key, 0) + sample.values[0]
    assert counts == by_domain_and_symbol(of)


def test_entry_0_of_every_otlp_table_means_nothing():
    tables = message(profile()).dictionary
    assert tables.string_table[0] == ""
    for field in ("mapping", "location", "function", "link", "attribute", "stack"):
        assert getattr(tables, f"{field}_table")[0].ByteSize() == 0


@for_any(profiles())
def test_the_nodes_of_the_page_add_up_to_the_total(of):
    data = html_data(rendered("flamegraph.html", Request(of)))
    assert sum(data["own"][0]) == of.totals[0]


@for_any(profiles())
def test_the_nodes_of_the_page_are_a_tree(of):
    data = html_data(rendered("flamegraph.html", Request(of)))
    assert sum(data["children"]) == len(data["code"]) - 1


def boxes(of, **more):
    root = ElementTree.fromstring(rendered("flamegraph.svg", Request(of, **more)))
    graph = next(group for group in root.iter(f"{SVG}g") if group.get("id") == "graph")
    return [
        (int(g.get("data-b", "")), int(g.get("data-w", "")), g.find(f"{SVG}rect"), g) for g in graph
    ]


@for_any(profiles())
def test_a_picture_is_xml_whose_boxes_stand_on_wider_ones(of):
    found = boxes(of)
    rows: dict = {}
    for begin, width, rect, _ in found:
        rows.setdefault(int(rect.get("y")), []).append((begin, begin + width))
    bottom = max(rows)
    assert rows[bottom] == [(0, of.totals[0])]
    for y, spans in rows.items():
        for (_, end), (begin, _) in zip(sorted(spans), sorted(spans)[1:], strict=False):
            assert end <= begin
        if y != bottom:
            below = rows[y + 17]
            assert all(any(b <= begin and end <= e for b, e in below) for begin, end in spans)


@pytest.mark.parametrize("name", ["flamegraph.html", "flamegraph.svg"])
def test_a_graph_loads_nothing(name):
    text = rendered(name, Request(profile(), title="t")).decode()
    text = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert re.findall(r"https?://|\bsrc=|\bhref=|@import|url\(|fetch\(|import\(", text) == []


def test_a_hostile_name_ends_no_element_of_the_page():
    page = rendered("flamegraph.html", Request(profile(), title=HOSTILE)).decode()
    assert page.count("</script>") == 2
    assert "<b onclick" not in page


def test_a_hostile_name_makes_no_element_of_the_picture():
    data = rendered("flamegraph.svg", Request(profile(), title=HOSTILE))
    tags = {element.tag for element in ElementTree.fromstring(data).iter()}
    assert tags == {SVG + tag for tag in ("svg", "title", "style", "rect", "text", "g", "script")}


def test_domains_of_a_graph_are_marked_where_they_begin():
    data = html_data(rendered("flamegraph.html", Request(profile())))
    marks = [
        name
        for name, kind in zip(data["names"], data["kindOf"], strict=True)
        if data["kinds"][kind] == "domain"
    ]
    assert marks == ["Domain-0", "we:b 2", "web"]


def test_a_flat_profile_has_a_level_of_images():
    data = html_data(rendered("flamegraph.html", Request(flat())))
    assert {"httpd", "vmlinux", "xen-syms"} <= set(data["names"])


def test_an_unchanged_profile_is_all_noise():
    one = profile(scaled([[5], [40], [3], [20], [25], [6], [1]], 10), 1)
    data = html_data(rendered("flamegraph.html", Request(one, base=one)))
    assert set(data["noise"]) == {1}


def test_what_became_more_is_red_and_what_became_less_is_blue():
    before = profile([[500], [900], [30], [200], [10], [60], [10]], 1)
    after = profile([[500], [400], [30], [200], [510], [60], [10]], 1)
    classes = {
        group.get("data-n"): rect.get("class")
        for _, _, rect, group in reversed(boxes(after, base=before))
    }
    assert (classes["e1000_xmit"], classes["parse"], classes["[stripped]"]) == (
        "more", "less", "noise",
    )  # fmt: skip


def test_narrow_nodes_are_left_out_of_the_picture_and_counted():
    of = profile([[10**9], [1], [1], [1], [1], [1], [1]], 1)
    text = rendered("flamegraph.svg", Request(of)).decode()
    assert ">12 nodes are too narrow to be drawn<" in text


@pytest.mark.parametrize("name", STACK_FORMATS)
def test_a_profile_without_samples_is_no_error(name):
    of = profile([[0] * 3] * 7)
    assert isinstance(rendered(name, Request(of)), bytes)


@pytest.mark.parametrize("name", STACK_FORMATS)
def test_a_profile_without_stacks_is_no_error(name):
    empty = StackProfile((), (), np.empty((0, 1), np.int64), (CYCLES,))
    assert isinstance(rendered(name, Request(empty)), bytes)


@pytest.mark.parametrize("name", STACK_FORMATS)
def test_the_same_profile_is_the_same_bytes(name):
    assert rendered(name, Request(profile())) == rendered(name, Request(profile()))


@pytest.mark.parametrize("name", STACK_FORMATS)
def test_a_name_that_is_no_unicode_is_written_all_the_same(name):
    from dataclasses import replace

    of = profile()
    frames = (replace(of.frames[0], symbol="bad\udc80name", domain="d\udcff"), *of.frames[1:])
    assert rendered(name, Request(replace(of, frames=frames), title="a\udc80"))


@pytest.mark.parametrize("name", STACK_FORMATS)
def test_two_names_that_differ_in_bytes_stay_two(name):
    from dataclasses import replace

    of = profile()
    one, two, *rest = of.frames
    frames = (replace(one, symbol="n\udc80"), replace(two, symbol="n\udc81"), *rest)
    text = rendered(name, Request(replace(of, frames=frames)))
    content = (gzip.decompress(text) if name == "pprof" else text).replace(rb"\\", b"\\")

    assert (1, 1) <= (content.count(rb"n\udc80"), content.count(rb"n\udc81"))
