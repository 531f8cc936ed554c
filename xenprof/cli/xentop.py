"""xentop: the screen and the tables of xentop, with the options that scripts use.

It shows a host as the xentop that came with its Xen: 3.0.3's form, or 4.17's from Xen 4 on.

Source: tools/xentop/xentop.c (4.17), usage and main.
"""

import sys
from collections.abc import Sequence

from xenprof.cli.notes import note
from xenprof.cli.stdout import ends_well
from xenprof.cli.xm.command import Command, Option, XmError
from xenprof.cli.xm.top import ITERATIONS, TOP, run_top
from xenprof.client import Client, ServiceError
from xenprof.home import home

_PROGRAM = "xentop"
USAGE = """\
Usage: xentop [OPTION]
Displays ongoing information about xen vm resources\x20

-h, --help           display this help and exit
-V, --version        output version information and exit
-d, --delay=SECONDS  seconds between updates (default 3)
-n, --networks       output vif network data
-x, --vbds           output vbd block device data
-r, --repeat-header  repeat table header before each domain
-v, --vcpus          output vcpu data
-b, --batch\t     output in batch mode, no user input accepted
-i, --iterations     number of iterations before exiting
-f, --full-name      output the full domain name (not truncated)
"""
"""4.17's, but for where to report bugs."""
_XENTOP = Command(
    _PROGRAM,
    TOP.arguments,
    TOP.summary,
    lambda client, words: run_top(
        client, words, _PROGRAM, USAGE.rstrip("\n"), has_full_names=words.has("f")
    ),
    maximum=None,  # the original ignores arguments that are no options
    options=(*TOP.options, Option("f", "full-name", "")),
)


@ends_well(_PROGRAM)
def main(argv: Sequence[str] | None = None) -> int:
    """Run xentop; return its exit code: 0, 1, or 130 after Ctrl-C."""
    try:
        parsed = _XENTOP.parse(list(sys.argv[1:] if argv is None else argv))
    except XmError as error:
        print(f"{_PROGRAM}: {error}", file=sys.stderr)
        print(USAGE, end="")
        return 1
    if parsed.arguments:
        note(f"{' '.join(parsed.arguments)} is ignored. {ITERATIONS}")
    try:
        return _XENTOP.run(Client(home()), parsed)
    except (ServiceError, XmError) as error:
        sys.stdout.flush()
        print(f"{_PROGRAM}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
