"""xm create, destroy, pause, unpause, vcpu-set, vcpu-pin and mem-set."""

import sys
from pathlib import Path

from hypervisor.cpus import parse_cpus
from hypervisor.errors import HostError
from xenprof.cli.xm.command import (
    Command,
    Option,
    Words,
    XmError,
    domain_path,
    integer,
    snapshot_of,
)
from xenprof.client import Client
from xenprof.home import domain_root

_MAXIMUM_FILE_BYTES = 256 * 1024
_CONFIG_FOLDER = Path("/etc/xen")


def _plain(verb: str, summary: str) -> Command:
    def run(client: Client, words: Words) -> int:
        client.post(domain_path(words.arguments[0], verb))
        return 0

    return Command(verb, "<Domain>", summary, run, minimum=1, maximum=1)


def _vcpu_set(client: Client, words: Words) -> int:
    domain, count = words.arguments
    client.post(domain_path(domain, "set-vcpus"), {"count": integer(count)})
    return 0


def _vcpu_pin(client: Client, words: Words) -> int:
    domain, vcpu, cpus = words.arguments
    number = None if vcpu == "all" else integer(vcpu)
    try:
        pcpus = range(64) if cpus == "all" else parse_cpus(cpus)
    except HostError as error:
        raise XmError(str(error)) from None
    client.post(domain_path(domain, "pin-vcpu"), {"vcpu": number, "pcpus": list(pcpus)})
    return 0


def _mem_set(client: Client, words: Words) -> int:
    domain, size = words.arguments
    client.post(domain_path(domain, "set-memory"), {"mib": memory_mib(size)})
    return 0


def memory_mib(text: str) -> int:
    """Return a size in MiB; it may end in k, m (the default) or g. Raises: XmError."""
    shift = {"k": -10, "m": 0, "g": 10}.get(text[-1:].lower())
    number = integer(text if shift is None else text[:-1])
    return number << shift if shift and shift > 0 else number >> -(shift or 0)


def _create(client: Client, words: Words) -> int:
    files = [word for word in words.arguments if "=" not in word]
    given_file = words.value("f")
    files = files if given_file is None else [given_file, *files]
    if len(files) != 1:
        raise XmError("'xm create' requires 1 argument.")
    shown, text = read_config(files[0], domain_root(client.home, "Domain-0"))
    if not words.has("q"):
        print(f'Using config file "{shown}".', flush=True)
    overrides: dict[str, list[str]] = {}
    for word in words.arguments:
        name, equals, value = word.partition("=")
        if equals:
            overrides.setdefault(name, []).append(value)
    answer = client.post(
        "/api/v1/domains",
        {
            "config_text": text,
            "config_name": shown,
            "overrides": overrides,
            "paused": words.has("p"),
        },
    )
    domains = snapshot_of(client)["domains"]
    names = [domain["name"] for domain in domains if domain["domid"] == answer["domid"]]
    if not words.has("q"):
        print("Started domain", *(names or [answer["domid"]]))
    if words.has("c"):
        print("xm: no console to attach to; the domain runs on", file=sys.stderr)
    return 0


def read_config(name: str, root: Path) -> tuple[str, str]:
    """Return a configuration file's path as xm shows it, and its text.

    Looks in the caller's directory, then in `/etc/xen` of domain 0, whose `/` is `root`.
    Raises: XmError.
    """
    in_domain = _CONFIG_FOLDER / name  # an absolute name stays as it is
    places = ((name if Path(name).is_absolute() else f"./{name}", Path(name)),
              (str(in_domain), root / in_domain.relative_to("/")))  # fmt: skip
    for shown, path in places:
        try:
            with path.open("rb") as file:
                return shown, file.read(_MAXIMUM_FILE_BYTES).decode("utf-8", "replace")
        except OSError:
            continue
    raise XmError(f"Unable to open config file: {name}")


DESTROY = _plain("destroy", "Terminate a domain immediately.")
PAUSE = _plain("pause", "Pause execution of a domain.")
UNPAUSE = _plain("unpause", "Unpause a paused domain.")
VCPU_SET = Command(
    "vcpu-set",
    "<Domain> <vCPUs>",
    "Set the number of active VCPUs of a domain.",
    _vcpu_set,
    minimum=2,
    maximum=2,
)
VCPU_PIN = Command(
    "vcpu-pin",
    "<Domain> <VCPU> <CPUs>",
    "Set which CPUs a VCPU can use.",
    _vcpu_pin,
    minimum=3,
    maximum=3,
)
MEM_SET = Command(
    "mem-set",
    "<Domain> <Mem>",
    "Set the current memory usage for a domain.",
    _mem_set,
    minimum=2,
    maximum=2,
)
CREATE = Command(
    "create",
    "<ConfigFile> [options] [vars]",
    "Create a domain based on <ConfigFile>.",
    _create,
    maximum=None,
    options=(
        Option("f", "defconfig", "Use the given configuration file", "FILE"),
        Option("p", "paused", "Leave the domain paused after it is created"),
        Option("c", "console_autoconnect", "Connect to the console after the domain is created"),
        Option("q", "quiet", "Quiet"),
    ),
    failures_show_usage=False,
)
