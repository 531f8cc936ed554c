"""`xenprof import perf|folded|pprof`: turns profiles of other tools into archives for reports."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xenprof.cli.options import WholeNumber
from xenprof.errors import UsageError
from xenprof.home import DOMAIN_0

if TYPE_CHECKING:
    from xenprof.imports.agentlines import Symbols
    from xenprof.imports.importer import Written
    from xenprof.imports.recording import Recording
    from xenprof.imports.xenoprof.symbols import SymbolTable

_REASONS = {
    "no_address": "without an address",
    "unknown_event": "of counters that were not asked for",
    "asleep_when_sampled": "of vcpus that slept whenever they were looked at",
}
_LONGEST_NAME = 80


def _common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that all of these commands take."""
    for decorate in (
        click.option(
            "--cpu-type",
            default="timer",
            show_default=True,
            metavar="TYPE",
            help="Of the processor, as ophelp knows it: what its events are is then told.",
        ),
        click.option(
            "--domain",
            default=DOMAIN_0,
            show_default=True,
            metavar="NAME",
            help="Whose samples they are, where the input does not tell.",
        ),
        click.option(
            "-o", "--output", required=True, metavar="DIR", help="Gets one archive per domain."
        ),
        click.argument("file"),
    ):
        function = decorate(function)
    return function


@click.command("perf")
@_common
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the machine's images are; others are made of the names seen.",
)
@click.option(
    "--separate",
    default="none",
    show_default=True,
    metavar="LIST",
    help="As opcontrol's: none, lib, kernel, thread, cpu, all.",
)
@click.option(
    "--xen-syms",
    metavar="FILE",
    help="Symbols of the hypervisor below: /proc/xen/xensyms or its map. Give perf script -F +misc "
    "to have guests told apart as well.",
)
def perf(
    file: str,
    output: str,
    domain: str,
    cpu_type: str,
    root: Path | None,
    separate: str,
    xen_syms: str | None,
) -> int:
    """Import samples from the text that `perf script` prints; FILE `-` is standard input."""
    from xenprof.imports import perf as format
    from xenprof.imports.reading import read_input, shown_name
    from xenprof.imports.xenoprof.symbolfiles import symbols_in

    chosen = _separate(separate)
    _check(domain, cpu_type, output)
    xen = None if xen_syms is None else symbols_in(xen_syms)
    recording = format.read(read_input(file), shown_name(file), domain=domain, xen=xen)
    return _write(recording, file, output, cpu_type, root, chosen)


def write_perf(text: bytes, output: str, xen_syms: Path | None) -> int:
    """Write the archives of what perf script has printed here; return the exit code."""
    from xenprof.imports import perf as format
    from xenprof.imports.xenoprof.symbolfiles import symbols_in

    xen = None if xen_syms is None else symbols_in(str(xen_syms))
    recording = format.read(text, "perf script", domain=DOMAIN_0, xen=xen)
    return _write(recording, "-", output, "timer")


@click.command("folded")
@_common
@click.option("--event", default="samples", show_default=True, help="What was counted.")
@click.option(
    "--period",
    type=WholeNumber(1, 10**15),
    default=1,
    show_default=True,
    help="How many events a sample stands for.",
)
def folded(file: str, output: str, domain: str, cpu_type: str, event: str, period: int) -> int:
    """Import folded stacks, lines `a;b;c N`; FILE `-` is standard input."""
    from xenprof.imports import folded as format
    from xenprof.imports.reading import read_input, shown_name

    _check(domain, cpu_type, output)
    recording = format.read(
        read_input(file), shown_name(file), domain=domain, event=event, period=period
    )
    return _write(recording, file, output, cpu_type)


@click.command("pprof")
@_common
def pprof(file: str, output: str, domain: str, cpu_type: str) -> int:
    """Import a profile.proto as pprof has it, gzipped or not; FILE `-` is standard input."""
    from xenprof.imports import pprof as format
    from xenprof.imports.reading import read_input, shown_name

    _check(domain, cpu_type, output)
    recording = format.read(read_input(file, format.LARGEST_BYTES), shown_name(file), domain=domain)
    return _write(recording, file, output, cpu_type)


@click.command("contexts")
@click.option(
    "--kallsyms",
    multiple=True,
    metavar="[N=]FILE",
    help="/proc/kallsyms or System.map of the guests' kernels, or of domain N's.",
)
@click.option("-o", "--output", required=True, metavar="DIR", help="Gets one archive per domain.")
@click.argument("file")
def contexts(file: str, output: str, kallsyms: tuple[str, ...]) -> int:
    """Import what an agent has sampled of guests' registers; FILE `-` is standard input."""
    from xenprof.imports.reading import read_input, shown_name
    from xenprof.imports.xenoprof.symbolfiles import kernels_in

    _check(DOMAIN_0, "timer", output)
    kernels = kernels_in(kallsyms)
    return write_contexts(read_input(file), shown_name(file), file, output, kernels)


def write_contexts(
    data: bytes, shown: str, file: str, output: str, kernels: "Mapping[int | None, SymbolTable]"
) -> int:
    """Write the archives of the samples in a file that an agent made; return the exit code."""
    from xenprof.imports import contexts as format

    return _write(format.read(data, shown, kernels), file, output, "timer")


def write_xenoprof(data: bytes, shown: str, file: str, output: str, symbols: "Symbols") -> int:
    """Write the archives of what an agent has sampled by Xenoprof; return the exit code."""
    from xenprof.imports import xenoproffile as format

    recording, cpu_type = format.read(data, shown, symbols)
    return _write(recording, file, output, cpu_type)


COMMANDS = (perf, folded, pprof, contexts)


def _check(domain: str, cpu_type: str, output: str) -> None:
    """Refuse wrong options before the input is read. Raises: UsageError, EventError."""
    from xenprof.events import cpu_number
    from xenprof.imports.archive import check_free

    if not domain or len(domain) > _LONGEST_NAME or not domain.isprintable():
        raise UsageError("--domain: a name of 1 to 80 printable characters is wanted")
    cpu_number(cpu_type)
    if not output or "\0" in output:
        raise UsageError("--output: the name of a directory is wanted")
    check_free(Path(output))


def _separate(text: str) -> frozenset[str]:
    """Return what --separate asks for, by opcontrol's rules. Raises: UsageError."""
    found: set[str] = set()
    for word in text.split(","):
        if word == "none":
            found.clear()
        elif word == "all":
            found |= {"lib", "kernel", "thread", "cpu"}
        elif word in ("lib", "library", "kernel", "thread", "cpu"):
            found.add(word.removesuffix("rary"))
        else:
            raise UsageError(
                f"--separate {text}: {word} is none of none, lib, kernel, thread, cpu, all"
            )
    return frozenset(found)


def _write(
    recording: "Recording",
    file: str,
    output: str,
    cpu_type: str,
    root: Path | None = None,
    separate: frozenset[str] = frozenset(),
) -> int:
    from xenprof.imports.errors import InputError
    from xenprof.imports.importer import Plan, import_recording
    from xenprof.imports.reading import modified, shown_name

    if not recording.values.any():
        lost = sum(map(sum, recording.lost.values()))
        raise InputError(shown_name(file), f"none of its {lost} samples has an address")
    plan = Plan(Path(output), root, separate, cpu_type, modified(file))
    _print_result(recording, import_recording(recording, plan), output)
    return 0


def _print_result(recording: "Recording", written: "Written", output: str) -> None:
    for column, kind in enumerate(recording.types):
        lost = {reason: counts[column] for reason, counts in recording.lost.items()}
        stored = written.stored[column]
        rest = [f" + {count} {_REASONS.get(name, name)}" for name, count in lost.items() if count]
        called = recording.names[column]
        named = kind.event if kind.event == called else f"{kind.event} ({called})"
        taken = stored + sum(lost.values())
        print(f"event {named}: {taken} samples = {stored} stored{''.join(rest)}")
    of_domains = [sum(lost.values()) for lost in recording.lost_of.values()]
    if before := sum(recording.lost_before.values()) + sum(of_domains):
        print(f"lost before, as the file tells: {before} samples")
    for note in recording.notes:
        print(f"note: {note}")
    images = [f"{count} {kind}" for kind, count in sorted(written.images.items())]
    print(f"images: {', '.join(images) or 'none'}; stacks: {len(set(recording.stacks))}")
    for archive in written.archives.values():
        print(f"opreport archive:{archive} -l")
    shown = output if "/" in output else f"./{output}"
    print(f"xenprof report --session {shown}")
