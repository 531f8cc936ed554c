"""xm console: hands over to the console program."""

from importlib import import_module

from xenprof.cli.xm.command import Command, Option, Words, XmError, tools_of
from xenprof.cli.xm.looking import find_domains, managed_domains, shown_name, snapshot_of
from xenprof.client import Client


def connect(domain: str) -> int:
    """Open the console of a domain by its name; return the exit code of its session."""
    code: int = import_module("xenprof.cli.console").main([domain])
    return code


def _console(client: Client, words: Words) -> int:
    try:
        domain = find_domains(snapshot_of(client), words.arguments)[0]
    except XmError:
        if words.has("q"):
            return 1
        _refuse_managed(client, words.arguments[0])
        raise
    return connect(shown_name(domain))


def _refuse_managed(client: Client, name: str) -> None:
    """Refuse a domain that xend keeps but does not run. Raises: XmError."""
    if tools_of(client) == "3.0.3":
        return
    if name in (domain.name for domain in managed_domains(client)):
        raise XmError(f"Domain '{name}' is not started")


CONSOLE = Command(
    "console", "<Domain>",
    "Connect to the console of a domain.",
    _console, minimum=1, maximum=1, arguments_3_1="[-q|--quiet] <Domain>",
    options=(Option("q", "quiet", "Say nothing if there is no such domain", since="3.1"),),
)  # fmt: skip
