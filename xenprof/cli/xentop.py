"""xentop: what `xm top` shows, under the name and with the options that scripts use.

Source: tools/xenstat/xentop/xentop.c; -f of 4.x.
"""

import sys
from collections.abc import Sequence

from xenprof.cli.notes import note
from xenprof.cli.stdout import ends_well
from xenprof.cli.xm.command import Command, Option, XmError
from xenprof.cli.xm.top import ITERATIONS, TOP, run_top, top_help
from xenprof.client import Client, ServiceError
from xenprof.home import home

_PROGRAM = "xentop"
# 3.0.3 has no such option: it never cuts a name, and neither do we.
_FULL_NAME = Option("f", "full-name", "output the full domain name (always so here)")
_XENTOP = Command(
    _PROGRAM,
    TOP.arguments,
    TOP.summary,
    lambda client, words: run_top(client, words, _PROGRAM),
    maximum=None,  # the original ignores arguments that are no options
    options=(*TOP.options, _FULL_NAME),
)


@ends_well(_PROGRAM)
def main(argv: Sequence[str] | None = None) -> int:
    """Run xentop; return its exit code: 0, 1, or 130 after Ctrl-C."""
    try:
        parsed = _XENTOP.parse(list(sys.argv[1:] if argv is None else argv))
    except XmError as error:
        print(f"{_PROGRAM}: {error}", file=sys.stderr)
        print(top_help(_PROGRAM, _XENTOP.options))
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
