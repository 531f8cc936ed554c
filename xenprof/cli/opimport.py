"""opimport: converts a sample file of another machine, as oprofile's program of that name."""

from collections.abc import Sequence
from pathlib import Path

from xenprof.cli import program
from xenprof.cli.popt import Option
from xenprof.cli.program import CommandLine, Program, warn
from xenprof.cli.wholefile import write_whole
from xenprof.errors import UsageError
from xenprof.opreport.errors import ReportError
from xenprof.store.abi import Abi, AbiError, parse_abi

OPTIONS = (
    Option("verbose", "V", "say on stderr what is read"),
    Option("output", "o", "the file to write", "file"),
    Option("abi", "a", "the abi file of the machine that the sample file is from", "file"),
    Option("force", "f", "convert, even if the layout is our own"),
    Option("domain", "", "accepted as elsewhere; all paths are the caller's own", "name|id"),
    Option("version", "v", "show the version"),
)
_ABI_BYTES_MAX = 1 << 16


def main(argv: Sequence[str] | None = None) -> int:
    """Run opimport; return its exit code."""
    return program.main(Program("opimport", OPTIONS, " FILE", _run), argv)


def _run(line: CommandLine) -> int:
    if len(line.words) != 1:
        raise UsageError("error: must specify exactly 1 input file")
    source = Path(line.words[0])
    if source.name.endswith(".jo"):  # code of a virtual machine: its format is the same everywhere
        if "verbose" in line.flags:
            warn("Found a .jo file. Import is not allowed or necessary. Done.")
        return 0
    name = line.values.get("abi", "")
    try:
        with Path(name).open(encoding="latin-1") as file:
            text = file.read(_ABI_BYTES_MAX)
    except OSError:
        raise UsageError(f"error: cannot open abi file {name}") from None
    if not line.values.get("output"):
        raise UsageError("error: must specify an output file with --output")
    try:
        return _convert(line, source, parse_abi(text, name))
    except (AbiError, ReportError) as error:
        raise UsageError(f"error: {error}") from None


def _convert(line: CommandLine, source: Path, layout: Abi) -> int:
    # Here and not above: numpy takes longer to import than --help may take.
    from xenprof.optools.foreignfile import decode
    from xenprof.store.samplefile import encode

    if layout.is_native and "force" not in line.flags:
        raise UsageError("input abi is identical to native. no conversion necessary.")
    if source.exists() and not source.is_file():
        raise UsageError(f"error: cannot open {source}: not a file")
    try:
        data = source.read_bytes()
    except OSError as error:
        raise UsageError(f"error: cannot open {source}: {error.strerror}") from None
    say = warn if "verbose" in line.flags else None
    header, offsets, counts = decode(data, str(source), layout, say)
    write_whole(Path(line.values["output"]), encode(header, offsets, counts))
    return 0
