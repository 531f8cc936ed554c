"""`xenprof import`: turns profiles that were taken elsewhere into archives for opreport."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xenprof.cli.import_foreign import COMMANDS, write_xenoprof
from xenprof.cli.options import WholeNumber
from xenprof.errors import UsageError
from xenprof.home import DOMAIN_0_ID

if TYPE_CHECKING:
    from xenprof.imports.xenoprof.importer import Plan
    from xenprof.imports.xenoprof.inputs import Capture
    from xenprof.oprofiled.outcome import Balance

_REASONS = {
    "no_kernel_image": "outside of the kernel, its modules and Xen",
    "no_mapping": "in user mode, but outside of its addresses",
}


@click.group("import")
def command() -> None:
    """Bring in profiles that were taken elsewhere."""


for _command in COMMANDS:
    command.add_command(_command)


@command.command("xenoprof")
@click.argument("files", nargs=-1, required=True, metavar="[N=]FILE...")
@click.option(
    "--kallsyms",
    multiple=True,
    metavar="[N=]FILE",
    help="/proc/kallsyms of the kernels, or of domain N's; may be gzipped.",
)
@click.option(
    "--xen-syms", metavar="FILE", help="The hypervisor's symbol map, or /proc/xen/xensyms."
)
@click.option("-o", "--output", required=True, metavar="DIR", help="Gets one archive per domain.")
@click.option(
    "--active",
    default=str(DOMAIN_0_ID),
    show_default=True,
    metavar="LIST",
    help="Ids of domains with a session of their own; the others are passive.",
)
@click.option(
    "--name", "names", multiple=True, metavar="N=NAME", help="Of domain N.  [default: Domain-N]"
)
@click.option(
    "--event",
    type=WholeNumber(0, 255),
    default=0,
    show_default=True,
    help="The counter whose entries are the samples.",
)
@click.option(
    "--earlier",
    multiple=True,
    metavar="[N=]FILE",
    help="A buffer as it was before: its counters are subtracted.",
)
def xenoprof(
    files: tuple[str, ...],
    kallsyms: tuple[str, ...],
    xen_syms: str | None,
    output: str,
    active: str,
    names: tuple[str, ...],
    event: int,
    earlier: tuple[str, ...],
) -> int:
    """Import samples that Xen's Xenoprof took.

    FILE is what `xenprof-agent xenoprof` has written, or a domain's shared buffer as mapped (N
    is its id, unless its name has `domN`), or text with a line `domain vcpu mode event pc` for
    each sample. All may be gzipped. The last two need both kinds of symbols.
    """
    from xenprof.imports.xenoproffile import is_profile

    if len(files) == 1 and is_profile(files[0]):
        if names or earlier:
            raise UsageError("--name, --earlier: an agent's file tells names, and has no counters")
        return _agents_file(files[0], output, kallsyms, xen_syms)
    for option, given in (("--kallsyms", kallsyms), ("--xen-syms", xen_syms)):
        if not given:
            raise click.UsageError(f"Missing option '{option}'.", click.get_current_context())
    assert xen_syms is not None
    from xenprof.imports.xenoprof.importer import Plan, import_capture
    from xenprof.imports.xenoprof.inputs import read_capture
    from xenprof.imports.xenoprof.symbolfiles import kernels_in, symbols_in

    capture = read_capture(files, earlier)
    tables = kernels_in(kallsyms)
    default = tables.pop(None, None) or tables.get(0)
    if default is None:
        raise UsageError("--kallsyms: the symbols of domain 0's kernel are missing")
    plan = Plan(
        output=Path(output),
        xen=symbols_in(xen_syms),
        kernel=default,
        kernels={domid: table for domid, table in tables.items() if domid is not None},
        active=frozenset(_ids(active)),
        names=_names(names),
        event=event,
        mtime=int(Path(xen_syms).stat().st_mtime),
    )
    balances = import_capture(capture, plan)
    _print_result(capture, plan, balances)
    return 0


def _agents_file(file: str, output: str, kallsyms: tuple[str, ...], xen_syms: str | None) -> int:
    from xenprof.imports.agentlines import Symbols
    from xenprof.imports.archive import check_free
    from xenprof.imports.reading import read_input, shown_name
    from xenprof.imports.xenoprof.symbolfiles import kernels_in, symbols_in

    check_free(Path(output))
    xen = None if xen_syms is None else symbols_in(xen_syms)
    symbols = Symbols(kernels_in(kallsyms), xen)
    return write_xenoprof(read_input(file), shown_name(file), file, output, symbols)


def _ids(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if not (word.isascii() and word.isdigit() and len(word) <= 5):
            raise UsageError(f"--active {text}: {word} is not the id of a domain")
    return [int(word) for word in words]


def _names(arguments: tuple[str, ...]) -> Mapping[int, str]:
    from xenprof.imports.xenoprof.inputs import numbered

    names: dict[int, str] = {}
    for argument in arguments:
        domid, name = numbered(argument)
        if domid is None or not name or len(name) > 80 or not name.isprintable():
            raise UsageError(f"--name {argument}: N=NAME is wanted, N the id of a domain")
        names[domid] = name
    return names


def _print_result(capture: "Capture", plan: "Plan", balances: "Mapping[int, Balance]") -> None:
    for domid in capture.domains:
        lost = capture.lost(domid)
        told = "losses unknown" if lost is None else f"{lost} lost in full buffers"
        role = "active" if plan.is_active(domid) else "passive"
        print(f"domain {domid} ({role}): {capture.kept(domid)} entries, {told}")
    kept = sum(map(capture.kept, capture.domains))
    all_lost = sum(capture.lost(domid) or 0 for domid in capture.domains)
    print(f"entries: {kept + all_lost} = {kept} kept + {all_lost} lost in full buffers")
    if gone := sum(map(capture.gone, capture.domains)):
        print(f"not in these files: {gone} more entries that the buffers count (--earlier?)")
    taken = stored = 0
    reasons: Counter[str] = Counter()
    for balance in balances.values():
        taken += balance.taken
        stored += balance.stored
        reasons.update(balance.lost)
    rest = [f" + {lost} {_REASONS.get(name, name)}" for name, lost in reasons.items() if lost]
    print(f"event {plan.event}: {taken} samples = {stored} stored{''.join(rest)}")
    for domid in sorted({DOMAIN_0_ID, *capture.domains}):
        print(f"opreport archive:{plan.archive(domid)} -l")
