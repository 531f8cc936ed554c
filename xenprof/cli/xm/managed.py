"""xm delete, start, suspend and resume: for domains that xend 3.1 keeps while they do not run."""

from xenprof.cli.xm.command import Command, Option, Words
from xenprof.cli.xm.console import connect
from xenprof.client import Client
from xenprof.wire.domain_requests import Delete, Resume, StartDomain, Suspend


def _delete(client: Client, words: Words) -> int:
    client.do(Delete(), words.arguments[0])
    return 0


def _start(client: Client, words: Words) -> int:
    name = words.arguments[0]
    client.do(StartDomain(paused=words.has("p")), name)
    return connect(name) if words.has("c") else 0


def _suspend(client: Client, words: Words) -> int:
    client.do(Suspend(), words.arguments[0])
    return 0


def _resume(client: Client, words: Words) -> int:
    client.do(Resume(paused=words.has("p")), words.arguments[0])
    return 0


_PAUSED = Option("p", "paused", "Leave the domain paused")

DELETE = Command(
    "delete", "<DomainName>",
    "Take a domain out of xend's management.",
    _delete, minimum=1, maximum=1,
)  # fmt: skip
START = Command(
    "start", "<DomainName>",
    "Start a domain that xend manages.",
    _start, minimum=1, maximum=1,
    options=(_PAUSED, Option("c", "console_autoconnect", "Connect to its console afterwards")),
)  # fmt: skip
SUSPEND = Command(
    "suspend", "<DomainName>",
    "Save a domain that xend manages where xend keeps it.",
    _suspend, minimum=1, maximum=1,
)  # fmt: skip
RESUME = Command(
    "resume", "<DomainName>",
    "Bring back a suspended domain that xend manages.",
    _resume, minimum=1, maximum=1, options=(_PAUSED,),
)  # fmt: skip
