"""xm info, dmesg, log, debug-keys and serve: the commands about the host."""

import contextlib
from collections.abc import Iterator, Mapping

from xenprof.cli.xm.command import OLDEST, Command, Option, Words, XmError, tools_of
from xenprof.cli.xm.looking import snapshot_of
from xenprof.client import SOCKET_NAME, Client, ServiceNotRunning
from xenprof.home import DOMAIN_0, XEND_LOG, domain_root, inside
from xenprof.wire.answers import Text
from xenprof.wire.host_requests import ClearDmesg, DebugKeys
from xenprof.wire.paths import HOST_INFO, MESSAGE_RING


def info_table(rows: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of `xm info`."""
    for key, value in rows.items():
        yield f"{key:<23}: {value}"


def _info(client: Client, words: Words) -> int:
    snapshot_of(client)  # fails if nothing is known of the host
    print("\n".join(info_table(client.get(HOST_INFO, dict[str, str]))))
    return 0


def _dmesg(client: Client, words: Words) -> int:
    if words.arguments:
        raise XmError("No parameter required")
    clears = words.has("c")
    if not clears or tools_of(client) != OLDEST:  # 3.0.3 clears and prints nothing
        print(client.get(MESSAGE_RING, Text).text, end="")
    if clears:
        client.do(ClearDmesg())
    return 0


def _log(client: Client, words: Words) -> int:
    """Print domain 0's xend.log, the current file only; also that of a service that has ended."""
    with contextlib.suppress(ServiceNotRunning):
        client.get(MESSAGE_RING, Text)  # a host without a toolstack has neither of the two logs
    try:
        text = inside(domain_root(client.home, DOMAIN_0), XEND_LOG).read_text("utf-8", "replace")
    except FileNotFoundError:
        snapshot_of(client)  # fails if no service runs
        text = ""
    except OSError as error:
        raise XmError(f"xm log: {error.filename}: {error.strerror}", shows_usage=False) from None
    print(text.rstrip("\n"))
    return 0


def _debug_keys(client: Client, words: Words) -> int:
    client.do(DebugKeys(words.arguments[0]))
    return 0


def _serve(client: Client, words: Words) -> int:
    raise XmError(
        "xm serve: there is no XML-RPC here to pass on; "
        f"programs talk JSON over HTTP to {client.home / SOCKET_NAME}",
        shows_usage=False,
    )


INFO = Command("info", "", "Show what there is to know about the Xen host.", _info)
DMESG = Command(
    "dmesg", "[-c|--clear]",
    "Show or clear the messages of the hypervisor.",
    _dmesg, maximum=1, counts_options=True,
    options=(Option("c", "clear", "Clear the messages (3.1: after showing them)"),),
)  # fmt: skip
LOG = Command("log", "", "Show xend's log.", _log)
DEBUG_KEYS = Command(
    "debug-keys", "<Keys>", "Send debug keys to Xen.", _debug_keys, minimum=1, maximum=1
)
SERVE = Command("serve", "", "Pass on xend's XML-RPC over stdin and stdout (not here).", _serve)
