"""virsh suspend, resume, shutdown, reboot, destroy, save, restore and dump."""

from collections.abc import Callable, Mapping
from pathlib import Path

from xenprof.cli.virsh.connection import Connection
from xenprof.cli.virsh.errors import VirshError
from xenprof.cli.virsh.grammar import Command, Option
from xenprof.cli.virsh.listing import DOMAIN
from xenprof.wire.domain_requests import Destroy, DumpCore, Pause, Save, ShutDownDomain, Unpause
from xenprof.wire.host_requests import Restore
from xenprof.wire.requests import Request

Words = Mapping[str, str]


def change(
    connection: Connection,
    words: Words,
    call: tuple[str, Request],
    done: str,
    failure: str,
) -> None:
    """Request a change of the domain that the words name, and print how it ended.

    `call` is libvirt's function and the request. Raises: VirshError.
    """
    function, request = call
    domain = connection.domain(words["domain"])
    try:
        connection.do(function, request, domain.name)
    except VirshError as error:
        raise VirshError(failure, error.library) from None
    print(done)


def _suspend(connection: Connection, words: Words) -> None:
    name = words["domain"]
    call = ("virDomainSuspend", Pause())
    change(connection, words, call, f"Domain {name} suspended", f"Failed to suspend domain {name}")


def _resume(connection: Connection, words: Words) -> None:
    name = words["domain"]
    call = ("virDomainResume", Unpause())
    change(connection, words, call, f"Domain {name} resumed", f"Failed to resume domain {name}")


def _shutdown(connection: Connection, words: Words) -> None:
    name = words["domain"]
    call = ("virDomainShutdown", ShutDownDomain("poweroff"))
    failure = f"Failed to shutdown domain {name}"
    change(connection, words, call, f"Domain {name} is being shutdown", failure)


def _reboot(connection: Connection, words: Words) -> None:
    name = words["domain"]
    call = ("virDomainReboot", ShutDownDomain("reboot"))
    failure = f"Failed to reboot domain {name}"
    change(connection, words, call, f"Domain {name} is being rebooted", failure)


def _destroy(connection: Connection, words: Words) -> None:
    name = words["domain"]
    call = ("virDomainDestroy", Destroy())
    change(connection, words, call, f"Domain {name} destroyed", f"Failed to destroy domain {name}")


def _save(connection: Connection, words: Words) -> None:
    name, file = words["domain"], words["file"]
    call = ("virDomainSave", Save(_absolute(file)))
    failure = f"Failed to save domain {name} to {file}"
    change(connection, words, call, f"Domain {name} saved to {file}", failure)


def _dump(connection: Connection, words: Words) -> None:
    name, file = words["domain"], words["file"]
    call = ("virDomainCoreDump", DumpCore(_absolute(file)))
    failure = f"Failed to core dump domain {name} to {file}"
    done = f"Domain {name} dumped to {file}"
    change(connection, words, call, done, failure)


def _restore(connection: Connection, words: Words) -> None:
    file = words["file"]
    try:
        connection.do("virDomainRestore", Restore(_absolute(file)))
    except VirshError as error:
        raise VirshError(f"Failed to restore domain from {file}", error.library) from None
    print(f"Domain restored from {file}")


def _absolute(file: str) -> str:
    return str(Path(file).absolute())


def _of_domain(
    name: str, help: str, run: Callable[[Connection, Words], None], description: str
) -> Command:
    return Command(name, help, run, (DOMAIN,), description)


COMMANDS = (
    _of_domain("destroy", "destroy a domain", _destroy, "Destroy a given domain."),
    Command(
        "dump",
        "dump the core of a domain to a file for analysis",
        _dump,
        (DOMAIN, Option("file", "where to dump the core")),
        "Core dump a domain.",
    ),
    _of_domain("reboot", "reboot a domain", _reboot, "Run a reboot command in the target domain."),
    Command(
        "restore",
        "restore a domain from a saved state in a file",
        _restore,
        (Option("file", "the state to restore"),),
        "Restore a domain.",
    ),
    _of_domain("resume", "resume a domain", _resume, "Resume a previously suspended domain."),
    Command(
        "save",
        "save a domain state to a file",
        _save,
        (DOMAIN, Option("file", "where to save the data")),
        "Save a running domain.",
    ),
    _of_domain(
        "shutdown", "gracefully shutdown a domain", _shutdown, "Run shutdown in the target domain."
    ),
    _of_domain("suspend", "suspend a domain", _suspend, "Suspend a running domain."),
)
