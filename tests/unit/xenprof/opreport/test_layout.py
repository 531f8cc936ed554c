"""The layout rules of opreport's tables, read again from the reference and checked as text.

Only the entry of the code under test is used: lines are split by the rules alone.
"""

import io
import math
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.known_sessions import Samples, own, write_images, write_session
from xenprof.cli.opreport import main
from xenprof.opreport import cells
from xenprof.opreport.percent import percent_text
from xenprof.profile.flat import ImageName

LEFT = {"vma": 9, "samples": 9, "cum. samples": 14, "%": 9, "cum. %": 11, "app name": 25}
NAMES = {0x1120: "main", 0x113C: "leaf", 0x1160: "mid"}
PROGRAMS = [ImageName("root", "/usr/bin/prog"), ImageName("root", "/srv/another-program")]

sessions = st.lists(
    st.tuples(
        st.sampled_from(PROGRAMS),
        st.sampled_from([0, 1]),
        st.dictionaries(st.sampled_from(sorted(NAMES)), st.integers(1, 2_000_000), min_size=1),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda item: item[:2],
)


def c_percent(part: int, whole: int) -> str:
    """Return a percentage by the reference's rules, 5.4."""
    value = part / whole * 100 if whole else 0.0
    if value == 0:
        return " " * 6 + "0"
    if value <= 0.001:
        return f"{value:7.1e}"
    text = f"{value:7.4f}"
    return text[:7] if text.startswith("100.") else text


def report(root: Path, files: list[Samples], *words: str) -> list[str]:
    """Return the lines of a report on a session of these files."""
    session = root / "var" / "lib" / "oprofile" / "samples" / "current"
    for path in sorted(session.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    write_session(session, files)
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        assert main([f"archive:{root}", *words]) == 0
    return out.getvalue().splitlines()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("layout")
    write_images(path)
    other = path / PROGRAMS[1].path.lstrip("/")
    other.parent.mkdir(parents=True)
    os.link(path / PROGRAMS[0].path.lstrip("/"), other)
    return path


def files_of(drawn: list) -> list[Samples]:
    return [own(program, counts, cpu=cpu) for program, cpu, counts in drawn]


def totals_of(drawn: list) -> dict[tuple[str, str], int]:
    """Return samples by basename and symbol."""
    found: dict[tuple[str, str], int] = {}
    for program, _, counts in drawn:
        for offset, count in counts.items():
            key = (program.path.rpartition("/")[2], NAMES[offset])
            found[key] = found.get(key, 0) + count
    return found


def cut(line: str, names: list[str]) -> list[str]:
    """Return the cells of a line: each as wide as its column; a longer one moves the rest."""
    found = []
    for name in names[:-1]:
        width = LEFT[name]
        cell = line[: width - 1].rstrip() if line[width - 1 : width] in (" ", "") else None
        if cell is None:
            cell, _, line = line.partition(" ")
        else:
            line = line[width:]
        found.append(cell)
    return [*found, line]


@settings(deadline=None, max_examples=40)
@given(sessions)
def test_a_table_of_symbols_has_the_columns_and_order_of_the_reference(root, drawn):
    lines = report(root, files_of(drawn), "-l", "-a", "-m", "cpu")[2:]
    names = ["samples", "cum. samples", "%", "cum. %"]
    if len({program for program, _, _ in drawn}) > 1:
        names.append("app name")
    names.append("symbol name")
    assert lines[0] == "".join(name.ljust(LEFT[name]) for name in names[:-1]) + names[-1]
    totals = totals_of(drawn)
    whole = sum(totals.values())
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    expected, running = [], 0
    for (program, symbol), count in ordered:
        running += count
        row = [str(count), str(running), c_percent(count, whole), c_percent(running, whole)]
        row += [program] if "app name" in names else []
        expected.append([cell.rstrip() for cell in [*row, symbol]])
    assert [[c.rstrip() for c in cut(line, names)] for line in lines[1:]] == expected


@settings(deadline=None, max_examples=40)
@given(sessions, st.integers(0, 100))
def test_a_threshold_hides_exactly_what_is_smaller(root, drawn, percent):
    lines = report(root, files_of(drawn), "-ln", "-m", "cpu", "-t", str(percent))
    totals = totals_of(drawn)
    whole = sum(totals.values())
    kept = sum(count / whole >= percent / 100 for count in totals.values())
    assert len(lines) == kept


@settings(deadline=None, max_examples=40)
@given(sessions)
def test_a_summary_has_one_column_of_eighteen_for_each_processor(root, drawn):
    lines = report(root, files_of(drawn))
    cpus = sorted({cpu for _, cpu, _ in drawn})
    start = next(i for i, line in enumerate(lines) if line.startswith("----"))
    wholes = [sum(sum(c.values()) for _, k, c in drawn if k == cpu) for cpu in cpus]
    assert lines[start] == "-" * 18 * len(cpus)
    assert lines[start - 1] == "  samples|      %|" * len(cpus)
    for line in lines[start + 1 :]:
        program = line[18 * len(cpus) :]
        for place, (cpu, whole) in enumerate(zip(cpus, wholes, strict=True)):
            mine = sum(
                sum(counts.values())
                for image, where, counts in drawn
                if where == cpu and image.path.endswith(program)
            )
            cell = line[18 * place : 18 * place + 18]
            assert cell == f"{mine:>9} {c_percent(mine, whole)} "


@settings(deadline=None)
@given(st.lists(st.one_of(st.floats(0, 100), st.floats(0, 0.01)), max_size=50))
def test_percentages_made_together_are_those_made_one_by_one(values):
    import numpy as np

    texts = [bytes(row).decode() for row in cells.percents(np.array(values, float))]
    singly = [percent_text(value) for value in values]
    # Less than 1e-99 has a longer exponent; nothing counted can be that small.
    assert [t for t, s in zip(texts, singly, strict=True) if len(s) == 7] == [
        s for s in singly if len(s) == 7
    ]


@settings(deadline=None)
@given(st.integers(1, 2**40), st.integers(1, 2**40))
def test_a_percentage_is_what_c_prints(part, whole):
    part, whole = sorted((part, whole))
    value = part / whole * 100
    assert math.isfinite(value)
    assert percent_text(value) == c_percent(part, whole)
