"""`xenprof import contexts`: what an agent has sampled of guests' registers."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypervisor.live.agent.recording.contexts import file_text
from hypervisor.live.agent.sampling.contexts import ContextSamples
from tests.support.importing import by_symbol, imported, profile, refused
from xenprof.imports.contexts import read
from xenprof.imports.errors import InputError

WEB = (1, "00000000-0000-0000-0000-000000000001")
DB = (2, "00000000-0000-0000-0000-000000000002")
EVENT = "CPU_TIME:20000000:0"
KALLSYMS = """\
ffffffff81000000 T _stext
ffffffff81000100 T schedule
ffffffff81000200 T do_idle
ffffffff81000300 T _etext
"""


def written(tmp_path, counts, *, names=None, unplaced=0, problems=()):
    samples = ContextSamples(20_000_000, counts, unplaced, 7, list(problems))
    path = tmp_path / "contexts.txt"
    path.write_text(file_text(samples, names or {WEB: "web", DB: "db"}, 17 * 10**17, 10**9))
    return path


def test_samples_of_each_guest_come_into_an_archive_of_its_own(tmp_path):
    counts = {(*WEB, 0, False, 0x4551B7): 40, (*DB, 1, True, 0xFFFFFFFF81A442B5): 2}
    imported("contexts", written(tmp_path, counts), tmp_path / "out")

    assert {
        ("web", "user", "/programs", "0x4551b7", EVENT): 40,
        ("db", "kernel", "no-vmlinux", "0xffffffff81a442b5", EVENT): 2,
    } == by_symbol(profile(tmp_path / "out"))


def test_kernels_have_names_where_their_symbols_are_given(tmp_path):
    symbols = tmp_path / "kallsyms"
    symbols.write_text(KALLSYMS)
    counts = {(*WEB, 0, True, 0xFFFFFFFF81000142): 3, (*DB, 0, True, 0xFFFFFFFF81000142): 5}
    file = written(tmp_path, counts)
    imported("contexts", file, tmp_path / "out", "--kallsyms", f"1={symbols}")

    assert {
        ("web", "kernel", "vmlinux", "schedule", EVENT): 3,
        ("db", "kernel", "no-vmlinux", "0xffffffff81000142", EVENT): 5,
    } == by_symbol(profile(tmp_path / "out"))


def test_a_kernel_given_twice_is_refused(tmp_path):
    symbols = tmp_path / "kallsyms"
    symbols.write_text(KALLSYMS)
    file = written(tmp_path, {(*WEB, 0, True, 0xFFFFFFFF81000142): 3})
    given = ("--kallsyms", str(symbols)) * 2

    assert "that kernel's symbols were given already" in refused(
        "contexts", file, tmp_path / "out", *given
    )


def test_a_name_told_apart_by_an_id_may_be_that_of_a_third_domain(tmp_path):
    counts = {(*WEB, 0, False, 1): 1, (*DB, 0, False, 1): 2, (3, "3", 0, False, 1): 4}
    names = {WEB: "a 3", DB: "a", (3, "3"): "a"}
    imported("contexts", written(tmp_path, counts, names=names), tmp_path / "out")

    assert {"a 3", "a", "a 3 3"} == {key[0] for key in by_symbol(profile(tmp_path / "out"))}


def test_domains_of_one_name_are_told_apart_by_their_ids(tmp_path):
    counts = {(*WEB, 0, False, 1): 1, (*DB, 0, False, 1): 2}
    imported("contexts", written(tmp_path, counts, names={WEB: "a", DB: "a"}), tmp_path / "out")

    assert {"a", "a 2"} == {key[0] for key in by_symbol(profile(tmp_path / "out"))}


def test_names_of_very_many_domains_of_one_name_and_id_stay_short():
    """What grows with each of them took minutes for 5000 domains."""
    domains = "".join(f"domain 1 {number:x} a\n" for number in range(5000))
    text = f"xenprof contexts 1\nperiod_ns 20000000\n{domains}sample 1 1387 0 user 0x1 1\n"

    assert ["a 1 1 4997"] == [step.domain for step in read(text.encode(), "file", {}).steps]


def test_what_was_not_placed_and_problems_are_told(tmp_path):
    counts = {(*WEB, 0, False, 1): 7}
    file = written(tmp_path, counts, unplaced=3, problems=["contexts: EPERM"])
    out = imported("contexts", file, tmp_path / "out")

    assert "10 samples = 7 stored + 3 of vcpus that slept whenever they were looked at" in out
    assert "note: contexts: EPERM" in out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "its first line is not 'xenprof contexts 1'"),
        ("xenprof contexts 2\n", "its first line is not 'xenprof contexts 1'"),
        ("xenprof contexts 1\n", "no samples: no guest has computed"),
        ("xenprof contexts 1\nnonsense\n", "line 2: not of samples: 'nonsense'"),
        ("xenprof contexts 1\nsample 1 a 0 user 0x1 1\n", "line 2: a sample of an unknown domain"),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_place(tmp_path, text, told):
    path = tmp_path / "a.txt"
    path.write_text(text)

    assert told in refused("contexts", path, tmp_path / "out")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=200))
def test_any_name_of_a_domain_makes_one_line(tmp_path, name):
    samples = ContextSamples(1, {(*WEB, 0, False, 1): 1}, 0, 1, [])
    text = file_text(samples, {WEB: name}, 0, 0)

    assert 1 == int(read(text.encode(), "a", {}).values.sum())


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_nonsense_is_refused_or_read_but_never_a_crash(data):
    try:
        read(b"xenprof contexts 1\n" + data, "a", {})
    except InputError as error:
        assert str(error).startswith("a: ")


def test_a_trace_is_told_to_be_one(tmp_path):
    path = tmp_path / "host.trace"
    path.write_bytes(b"\x03\xf0\x01\x20" + bytes(60))

    assert f"xenprof trace --summary {path}" in refused("contexts", path, tmp_path / "out")
