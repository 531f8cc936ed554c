"""Every format's bytes, from one small joined profile and one flat one."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import text_format

from hypervisor.trace_events import LOST_RECORDS
from tests.support.pprof_proto import decoded
from tests.support.stack_profiles import BEFORE, VALUES, flat, profile, scaled
from tests.support.traces import row
from xenprof.report.formats import FORMATS, load
from xenprof.report.formats.otlp import message
from xenprof.report.formats.request import Request
from xenprof.report.views.joining import by_place
from xenprof.report.views.table import BY
from xenprof.trace.xentrace30 import encode

EXPECTED = Path(__file__).parent / "expected"

JOINED = Request(profile(), title="session current: Domain-0, web")
PLACED = replace(JOINED, profile=by_place(JOINED.profile), joined="place")
FLAT = Request(flat(), title="flat")
COMPARED = Request(
    profile(scaled(VALUES, 10), 1),
    base=profile(scaled(BEFORE, 10), 1),
    title="session after",
    base_title="session before",
)

CASES = {
    "joined.txt": ("text", JOINED),
    "joined-domains.txt": ("text", replace(JOINED, fields=BY["domain"])),
    "joined-layers.txt": ("text", replace(JOINED, fields=BY["layer"])),
    "joined-domains-layers.txt": ("text", replace(JOINED, fields=("domain", "layer"))),
    "joined-images.txt": ("text", replace(JOINED, fields=BY["image"])),
    "joined-first-rows.txt": ("text", replace(JOINED, limit=3)),
    "joined-threshold.txt": ("text", replace(JOINED, threshold_percent=25.0)),
    "joined-top-down.txt": ("text", replace(JOINED, tree="top-down")),
    "joined-bottom-up.txt": ("text", replace(JOINED, tree="bottom-up")),
    "joined-top-down-images.txt": ("text", replace(JOINED, tree="top-down", fields=BY["image"])),
    "flat.txt": ("text", FLAT),
    "compared.txt": ("text", COMPARED),
    "compared-domains.txt": ("text", replace(COMPARED, fields=BY["domain"])),
    "joined.json": ("json", JOINED),
    "joined-top-down.json": ("json", replace(JOINED, tree="top-down")),
    "compared.json": ("json", COMPARED),
    "joined.csv": ("csv", JOINED),
    "joined-bottom-up.csv": ("csv", replace(JOINED, tree="bottom-up")),
    "compared.csv": ("csv", COMPARED),
    "joined.folded": ("folded", JOINED),
    "placed.folded": ("folded", PLACED),
    "placed-domains.txt": ("text", replace(PLACED, fields=BY["domain"])),
    "compared.folded": ("folded", COMPARED),
    "joined.speedscope.json": ("speedscope", JOINED),
    "joined.flamegraph.html": ("flamegraph.html", JOINED),
    "joined.flamegraph.svg": ("flamegraph.svg", JOINED),
    "joined.otlp.json": ("otlp.json", JOINED),
}

# Flame graphs without the parts that all have in common: the joined ones are complete.
FLAME_CASES = {
    "flat.flamegraph.html.part": ("flamegraph.html", FLAT),
    "flat.flamegraph.svg.part": ("flamegraph.svg", FLAT),
    "placed.flamegraph.html.part": ("flamegraph.html", PLACED),
    "placed.flamegraph.svg.part": ("flamegraph.svg", PLACED),
    "compared.flamegraph.html.part": ("flamegraph.html", COMPARED),
    "compared.flamegraph.svg.part": ("flamegraph.svg", COMPARED),
}

TRACE = (
    # vcpu 0 of domain 1 runs, waits and runs elsewhere; then records are lost.
    row(1_000, 0x2F00A, 32767, 0, 1, 0),
    row(2_000, 0x2F00A, 32767, 1, 2, 0, pcpu=1),
    row(501_000, 0x2F00A, 1, 0, 32767, 0),
    row(701_000, 0x2F00A, 2, 0, 1, 0, pcpu=1),
    row(900_000, LOST_RECORDS, 5, pcpu=1),
    row(950_000, 0x2F00A, 1, 0, 2, 0, pcpu=1),
)


def rendered(name: str, request: Request) -> bytes:
    return b"".join(load(name)(request))


def assert_golden(name: str, data: bytes, update: bool) -> None:
    path = EXPECTED / name
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    assert path.read_bytes() == data


def same_in_each(name: str) -> list[bytes]:
    """Return the texts that every flame graph of a format has, from the complete one."""
    whole = EXPECTED.joinpath(f"joined.{name}").read_bytes()
    if name == "flamegraph.svg":
        return [whole[whole.index(b"<script>") :]]
    before, mark, data_and_after = whole.partition(b'id="data">')
    _, end, after = data_and_after.partition(b"</script>")
    return [before + mark, end + after]


@pytest.mark.parametrize("name", CASES)
def test_a_format_has_these_bytes(name, update_golden):
    assert_golden(name, rendered(*CASES[name]), update_golden)


@pytest.mark.parametrize("name", FLAME_CASES)
def test_a_flame_graph_differs_from_the_whole_one_in_these_bytes(name, update_golden):
    page = rendered(*FLAME_CASES[name])
    for text in same_in_each(FLAME_CASES[name][0]):
        assert page.count(text) == 1
        page = page.replace(text, b"")
    assert_golden(name, page, update_golden)


def test_pprof_holds_this(update_golden):
    message = decoded(gzip.decompress(rendered("pprof", JOINED)))
    text = text_format.MessageToString(message, as_utf8=True)
    assert_golden("joined.pprof.txt", text.encode(), update_golden)


def test_otlp_is_its_json(update_golden):
    json_form = json.loads(rendered("otlp.json", JOINED))
    strings = list(message(JOINED.profile).dictionary.string_table)
    assert json_form["dictionary"]["stringTable"] == strings
    assert rendered("otlp", JOINED) == message(JOINED.profile).SerializeToString(deterministic=True)


def test_a_trace_has_these_slices(tmp_path, update_golden):
    path = tmp_path / "trace.bin"
    path.write_bytes(encode(TRACE, 1000))
    data = rendered("perfetto", Request(trace=str(path), mhz=1000))
    assert_golden("trace.perfetto.json", data, update_golden)


def test_no_expected_file_is_left_over():
    known = {*CASES, *FLAME_CASES, "joined.pprof.txt", "trace.perfetto.json"}
    assert {path.name for path in EXPECTED.iterdir()} == known


def test_every_format_has_a_case():
    covered = {name for name, _ in CASES.values()} | {"pprof", "otlp", "perfetto"}
    assert covered == set(FORMATS)
