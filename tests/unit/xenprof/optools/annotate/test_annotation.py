"""Annotation of a real program: every sample is shown, once."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.compiled_sessions import DEMO, write_domain
from tests.support.known_sessions import own, write_session
from xenprof.cli.opannotate import main
from xenprof.optools.annotate.source import PathFilter, SourceFinder

CODE = range(0x1000, 0x1096)  # file offsets of demo's .text
SAMPLES = st.dictionaries(st.sampled_from(CODE), st.integers(1, 10_000), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("home")
    write_domain(path / "domains" / "Domain-0")
    return path


def annotate(home: Path, capsys, monkeypatch, counts, *options: str) -> list[tuple[int, str]]:
    """Return (samples, rest of the line) of the lines that have samples."""
    write_session(home / "domains/Domain-0/var/lib/oprofile/samples/new", (own(DEMO, counts),))
    monkeypatch.setenv("XENPROF_HOME", str(home))
    assert main([*options, "session:new"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = (re.match(r" *(\d+) [ \d.e-]{7} :(.*)", line) for line in lines)
    return [(int(match[1]), match[2]) for match in found if match]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(counts=SAMPLES)
def test_every_sample_stands_beside_one_instruction(home, capsys, monkeypatch, counts) -> None:
    shown = annotate(home, capsys, monkeypatch, counts, "-a")
    assert sum(counts.values()) == sum(samples for samples, _ in shown)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(counts=SAMPLES)
def test_every_sample_stands_beside_one_line(home, capsys, monkeypatch, counts) -> None:
    shown = annotate(home, capsys, monkeypatch, counts, "-s")
    assert sum(counts.values()) == sum(samples for samples, _ in shown)


def test_a_sample_inside_an_instruction_counts_for_it(home, capsys, monkeypatch) -> None:
    shown = annotate(home, capsys, monkeypatch, {0x100E: 2, 0x1010: 3}, "-a")
    assert [(5, "  40100e:\tmov    %dl,0x402000(%rax)")] == shown


def test_an_inlined_function_is_annotated_in_its_own_file(home, capsys, monkeypatch) -> None:
    shown = annotate(home, capsys, monkeypatch, {0x1054: 7}, "-s")
    assert [(7, "\t\tsum += *data++;")] == shown


def test_output_files_mirror_the_paths_of_the_sources(home, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XENPROF_HOME", str(home))
    assert main(["-s", "-o", str(tmp_path / "out")]) == 0
    files = sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert ["usr/src/demo/checksum.h", "usr/src/demo/demo.c"] == [
        str(path.relative_to(tmp_path / "out")) for path in files
    ]


def test_an_output_file_ends_with_the_comments(home, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XENPROF_HOME", str(home))
    main(["-s", "-o", str(tmp_path)])
    lines = (tmp_path / "usr/src/demo/checksum.h").read_text().splitlines()
    counted = Counter(line for line in lines if line.startswith("/* ") or line == " */")
    assert ({"/* ": 2, " */": 2}, " */") == (counted, lines[-1])


def test_a_file_that_cannot_be_written_fails_with_a_line(home, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("XENPROF_HOME", str(home))
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr" / "src").write_text("in the way")
    code = main(["-s", "-o", str(tmp_path)])
    err = capsys.readouterr().err
    assert (1, True) == (code, f'unable to create file: "{tmp_path}/usr/src/demo"' in err)


def test_a_whole_image_has_one_heading(home, capsys, monkeypatch) -> None:
    monkeypatch.setenv("XENPROF_HOME", str(home))
    monkeypatch.setattr("xenprof.optools.annotate.assembly.WHOLE_IMAGE_ABOVE", 1)
    assert main(["-a"]) == 0
    out = capsys.readouterr().out
    heads = re.findall(r"<(\w+)>: /\*|file (format)", out)
    assert ["format", "fill", "receive", "_start"] == ["".join(head) for head in heads]


@pytest.mark.parametrize(
    ("include", "exclude", "accepted"),
    [
        ((), (), True),
        (("*.c",), (), True),
        (("*.h",), (), False),
        (("demo",), (), True),
        ((), ("src",), False),
        ((), ("demo.*",), False),
        (("demo.c",), ("demo.c",), False),
    ],
)
def test_source_files_are_chosen_by_name_and_folder(include, exclude, accepted) -> None:
    assert accepted == PathFilter(include, exclude).accepts("/usr/src/demo/demo.c")


def test_a_stripped_base_is_replaced_by_a_search_directory(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "demo.c").write_text("int x;\n")
    finder = SourceFinder([str(tmp_path)], ["/build"])
    assert (str(tmp_path / "demo/demo.c")) == finder.find("/build/demo/demo.c")[0]


@pytest.mark.parametrize("name", ["crtstuff.c", "/usr/src/nowhere.c", "../up.c"])
def test_a_source_that_is_nowhere_keeps_its_name(name: str, tmp_path: Path) -> None:
    assert name == SourceFinder(root=str(tmp_path)).find(name)[0]


def test_counts_of_lines_do_not_depend_on_the_order_of_samples(home, capsys, monkeypatch) -> None:
    offsets = np.random.default_rng(1).permutation(list(CODE)).tolist()
    one = annotate(home, capsys, monkeypatch, dict.fromkeys(offsets, 1), "-s")
    two = annotate(home, capsys, monkeypatch, dict.fromkeys(CODE, 1), "-s")
    assert one == two
