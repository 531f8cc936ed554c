"""xm create and, with tools 3.1, xm new: a configuration file and words of the command line."""

from pathlib import Path

from xenprof.cli.xm.command import Command, Option, Words, XmError, tools_of
from xenprof.cli.xm.console import connect
from xenprof.cli.xm.sxp import format_sxp
from xenprof.client import Client, ServiceNotRunning
from xenprof.home import DOMAIN_0, domain_root
from xenprof.wire.answers import Created, SxpAnswer
from xenprof.wire.host_requests import Create, Describe, New

_MAXIMUM_FILE_BYTES = 256 * 1024  # judgement: a hundred times a long configuration
_DEFAULT_PATH = ".:/etc/xen"
_DEFAULT_FILE = "xmdefconfig"


def _create(client: Client, words: Words) -> int:
    if words.has("help_config"):
        return _print_variables(client)
    described = _configuration(client, words)
    if words.has("n"):
        print(format_sxp(client.ask(described, SxpAnswer).sxp))
        return 0
    create = Create(
        described.config_text,
        described.config_name,
        described.overrides,
        described.is_sxp,
        words.has("p"),
    )
    name = client.ask(create, Created).name
    if not words.has("q"):
        print(f"Started domain {name}", flush=True)
    return connect(name) if words.has("c") else 0


def _new(client: Client, words: Words) -> int:
    if words.has("help_config"):
        return _print_variables(client)
    described = _configuration(client, words)
    if words.has("n"):
        print(format_sxp(client.ask(described, SxpAnswer).sxp))
    else:
        text, name = described.config_text, described.config_name
        client.do(New(text, name, described.overrides, described.is_sxp))
    return 0


def _configuration(client: Client, words: Words) -> Describe:
    """Return the configuration that file and command line give. Raises: XmError."""
    overrides: dict[str, list[str]] = {}
    files = [file for file in (words.value("f"), words.value("F")) if file is not None]
    for word in words.arguments:
        name, equals, value = word.partition("=")
        if not equals:
            files.append(word)
        elif not name.strip():
            raise XmError(f"Invalid argument: {word}", shows_usage=False)
        else:
            overrides.setdefault(name.strip(), []).append(value.strip())
    if len(files) > 1:
        raise XmError(f"one configuration file, please, not {' and '.join(files)}")
    file = files[0] if files else _DEFAULT_FILE
    is_sxp = words.has("F")
    search_path = "" if is_sxp else words.value("path") or _DEFAULT_PATH
    shown, text = read_config(file, domain_root(client.home, DOMAIN_0), search_path)
    if not (words.has("q") or is_sxp):
        print(f'Using config file "{shown}".', flush=True)
    values = {name: tuple(given) for name, given in overrides.items()}
    return Describe(text, shown, values, is_sxp)


def read_config(name: str, root: Path, search_path: str = _DEFAULT_PATH) -> tuple[str, str]:
    """Return a configuration file's path as xm shows it, and its text.

    An absolute name, and a name in a relative folder of the path, is the caller's file; a name
    not found there, and every absolute folder of the path, is looked for in domain 0, whose
    `/` is `root`. Raises: XmError.
    """
    for shown, path in _places(name, root, search_path):
        try:
            with path.open("rb") as file:
                content = file.read(_MAXIMUM_FILE_BYTES + 1)
        except (OSError, ValueError):
            continue
        if len(content) > _MAXIMUM_FILE_BYTES:
            raise XmError(
                f"{shown} is no configuration: it is longer than {_MAXIMUM_FILE_BYTES // 1024} KiB",
                shows_usage=False,
            )
        return shown, content.decode("utf-8", "replace")
    raise XmError(f"Unable to open config file: {name}", shows_usage=False)


def _places(name: str, root: Path, search_path: str) -> list[tuple[str, Path]]:
    """Return (path as shown, path on this machine) of all places to look, in order."""
    if name.startswith("/"):
        return [(name, Path(name)), (name, root / name.lstrip("/"))]
    places = [("./" + name, Path(name))]  # the original looks in the caller's folder first
    for folder in search_path.split(":"):
        if folder.startswith("/"):
            places.append((f"{folder}/{name}", root / f"{folder}/{name}".lstrip("/")))
            if search_path != _DEFAULT_PATH:
                places.append((f"{folder}/{name}", Path(folder) / name))
        elif folder not in ("", "."):
            places.append((f"./{folder}/{name}", Path(folder) / name))
    return places


def _print_variables(client: Client) -> int:
    """Print the variables that a configuration file may set, as `--help_config` does."""
    import textwrap

    from hypervisor.toolstack.config.options import option_rows

    try:
        tools = tools_of(client)
    except ServiceNotRunning:
        tools = "3.0.3"
    print("\nValues:\n")
    for setting, default, what in option_rows(tools):
        text = f"{what} (default {default})" if default else what
        first, *more = textwrap.wrap(text, 55)
        lines = [f"{setting:<20} {first}"] if len(setting) <= 20 else [setting, " " * 21 + first]
        print("\n".join(lines + [" " * 21 + line for line in more]))
    return 0


_CONFIGURATION = (
    Option("", "help_config", "Show what a configuration file may set"),
    Option("q", "quiet", "Print nothing but errors"),
    Option("", "path", "Folders to look for the file in, joined by colons (default .:/etc/xen); "
                       "absolute ones are those of Domain-0", "PATH"),
    Option("f", "defconfig", "The configuration file", "FILE"),
    Option("F", "config", "A file with the configuration as SXP", "FILE"),
    Option("n", "dryrun", "Print the configuration as SXP and create nothing"),
)  # fmt: skip
_STARTING = (
    Option("p", "paused", "Leave the domain paused after it is created"),
    Option("c", "console_autoconnect", "Connect to the console after the domain is created"),
)

CREATE = Command(
    "create", "<ConfigFile> [options] [vars]",
    "Create a domain from a configuration file.",
    _create, maximum=None, options=_CONFIGURATION + _STARTING, failures_show_usage=False,
)  # fmt: skip
NEW = Command(
    "new", "<ConfigFile> [options] [vars]",
    "Have xend manage a domain, without starting it.",
    _new, maximum=None, options=_CONFIGURATION, failures_show_usage=False,
)  # fmt: skip
