"""xm migrate: always refused, because a service has only one host."""

from xenprof.cli.xm.command import Command, Option, Words, XmError, integer
from xenprof.cli.xm.looking import find_domains, shown_name, snapshot_of
from xenprof.client import Client
from xenprof.home import DOMAIN_0_ID

_DEFAULT_PORT = 8002


def _migrate(client: Client, words: Words) -> int:
    name, host = words.arguments
    port = integer(words.value("p") or "0") or _DEFAULT_PORT
    integer(words.value("r") or "0")
    domain = find_domains(snapshot_of(client), [name])[0]
    if domain.domid == DOMAIN_0_ID:
        raise XmError(f"Cannot migrate privileged domain {shown_name(domain)}")
    raise XmError(
        f"can't connect: no host '{host}' listens on port {port}; a service is one host: "
        "use xm save there and xm restore here",
        shows_usage=False,
    )


MIGRATE = Command(
    "migrate", "<Domain> <Host>",
    "Move a domain to another host.",
    _migrate, minimum=2, maximum=2,
    options=(
        Option("l", "live", "Let the domain run while its memory is copied"),
        Option("p", "port", "Port of the other host's xend (default 8002)", "PORTNUM"),
        Option("r", "resource", "Limit of the copying, in Mbit/s (without effect)", "MBIT"),
    ),
)  # fmt: skip
