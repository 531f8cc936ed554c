"""The console of a guest: a small shell that acts in one domain (`xm console`).

xm imports `main` only when it is needed, and `main` imports the rest when it runs.
"""

from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run `xm console NAME`; return the exit code of the last command, or 1.

    Domain 0 has no such console: there the user has a shell already.
    """
    from xenprof.cli.console.session import connect

    return connect(argv[0], is_login=False)


def login_main(argv: Sequence[str]) -> int:
    """Run `xenprof console NAME`, which opens domain 0 too, like a login over the network."""
    import sys

    from xenprof.cli.console.session import connect

    if len(argv) != 1 or argv[0].startswith("-"):
        print("Usage: xenprof console <Domain>", file=sys.stderr)
        return 0 if list(argv) in (["-h"], ["--help"]) else 1
    return connect(argv[0], is_login=True)
