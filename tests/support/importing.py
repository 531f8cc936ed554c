"""Runs `xenprof import` and its readers for the tests."""

import contextlib
import io
import re
from collections import Counter
from pathlib import Path

from tests.support.paths import TESTS
from tests.support.pprof_proto import message_class
from xenprof.cli import opreport
from xenprof.cli.main import main
from xenprof.profile.stacks import StackProfile
from xenprof.report.sessions.places import place_at
from xenprof.report.sessions.reading import read_place
from xenprof.store.sessiondir import STACKS

PERF = TESTS / "fixtures" / "perf"


def run(program, *arguments) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        exit_code = program([str(word) for word in arguments])
    return exit_code, out.getvalue(), err.getvalue()


def imported(kind: str, file: Path | str, output: Path, *options) -> str:
    """Run the import; return what it prints."""
    exit_code, out, err = run(main, "import", kind, file, "-o", output, *options)
    assert (0, "") == (exit_code, err)
    return out


def refused(kind: str, file, output, *options) -> str:
    """Import a wrong input; return the error line without the file's name."""
    exit_code, out, err = run(main, "import", kind, file, "-o", output, *options)
    assert (1, "", 1) == (exit_code, out, err.count("\n")), err
    return err.strip().removeprefix("xenprof: ").removeprefix(f"{file}: ")


def profile(output: Path, *, flat: bool = False) -> StackProfile:
    """Return an import as `xenprof report` reads it; `flat`: from the sample files."""
    if flat:
        for stacks in output.glob(f"*/var/lib/oprofile/samples/current/{STACKS}"):
            stacks.rename(stacks.with_name(".away"))
    return read_place(place_at(output), warn=lambda line: None)


def by_symbol(of: StackProfile, *, flat: bool = False) -> dict:
    """Return samples by (domain, layer, image, symbol, event) of the code that was running."""
    found: Counter = Counter()
    for stack, values in zip(of.stacks, of.values.tolist(), strict=True):
        frame = of.frames[stack[-1]]
        image = frame.image.strip("/") if flat else frame.image
        for kind, count in zip(of.types, values, strict=True):
            if count:
                found[frame.domain, str(frame.layer), image, frame.symbol, kind.text] += count
    return dict(found)


def sample_files(archive: Path) -> set[str]:
    current = archive / "var/lib/oprofile/samples/current"
    return {
        str(path.relative_to(current))
        for tree in ("{root}", "{kern}")
        for path in current.glob(f"{tree}/**/*")
        if path.is_file()
    }


def balance(out: str) -> list[tuple[int, int, int]]:
    """Return taken, stored, lost of each event as printed."""
    found = []
    for line in out.splitlines():
        if match := re.fullmatch(
            r"event .*: (\d+) samples = (\d+) stored((?: \+ \d+ [a-z ]+)*)", line
        ):
            lost = sum(map(int, re.findall(r"\+ (\d+)", match[3])))
            found.append((int(match[1]), int(match[2]), lost))
    return found


def opreport_rows(archive: Path, *options) -> list[list[str]]:
    exit_code, out, _ = run(opreport.main, f"archive:{archive}", "-l", "-n", *options)
    assert 0 == exit_code
    return [line.split() for line in out.splitlines()]


def pprof(**parts) -> bytes:
    """Return a profile.proto that the protobuf library wrote, from fields and separate strings."""
    message = message_class()()
    strings = [""]

    def index(text: str) -> int:
        if text not in strings:
            strings.append(text)
        return strings.index(text)

    for name, unit in parts.get("types", [("samples", "count")]):
        message.sample_type.add(type=index(name), unit=index(unit))
    for number, name in enumerate(parts.get("mappings", ["/bin/prog"]), 1):
        message.mapping.add(id=number, filename=index(name))
    for number, name in enumerate(parts.get("functions", ["main", "work"]), 1):
        message.function.add(id=number, name=index(name), system_name=index(name))
    for number, (mapping, address, functions) in enumerate(
        parts.get("locations", [(1, 0x1000, [1]), (1, 0x2000, [2])]), 1
    ):
        location = message.location.add(id=number, mapping_id=mapping, address=address)
        for function in functions:
            location.line.add(function_id=function)
    for locations, values in parts.get("samples", [([2, 1], [7])]):
        message.sample.add(location_id=locations, value=values)
    if "period" in parts:
        name, unit, period = parts["period"]
        message.period_type.type, message.period_type.unit = index(name), index(unit)
        message.period = period
    for field in ("default_sample_type", "drop_frames", "keep_frames"):
        if field in parts:
            setattr(message, field, index(parts[field]))
    message.string_table.extend(strings)
    return bytes(message.SerializeToString())
