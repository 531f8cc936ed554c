"""xm save, restore and dump-core. Paths are the caller's and relative to the current directory."""

import os
import struct
from pathlib import Path

from xenprof.cli.notes import note
from xenprof.cli.xm.command import Command, Option, Words, XmError
from xenprof.cli.xm.looking import snapshot_of
from xenprof.cli.xm.told import credit_note, restored_note
from xenprof.client import Client
from xenprof.wire.domain_requests import DumpCore, Save
from xenprof.wire.host_requests import Restore

_TAG = b"LinuxGuestRecord"
_HEAD = struct.Struct(f">{len(_TAG)}sI")  # before the configuration: the tag, and its length
_LONGEST_CONFIGURATION = 1 << 20


def _save(client: Client, words: Words) -> int:
    domain, path = words.arguments[0], _absolute(words.arguments[1])
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise XmError(f"xm save: Unable to create file {path}", shows_usage=False)
    checkpoint = words.has("c")
    before = snapshot_of(client)
    client.do(Save(str(path), checkpoint=checkpoint), domain)
    if text := credit_note(before, domain, saved_configuration(path)):
        note(text)
    return 0


def _restore(client: Client, words: Words) -> int:
    path = _absolute(words.arguments[0])
    if path.is_dir() or not os.access(path, os.R_OK):
        raise XmError(f"xm restore: Unable to read file {path}", shows_usage=False)
    client.do(Restore(str(path), paused=words.has("p")))
    if text := restored_note(snapshot_of(client), saved_configuration(path)):
        note(text)
    return 0


def _dump_core(client: Client, words: Words) -> int:
    domain, *path = words.arguments
    crashes = words.has("C")
    file = str(_absolute(path[0])) if path else None
    print(f"Dumping core of domain: {domain} ...", flush=True)
    client.do(DumpCore(file, live=words.has("L"), crash=crashes), domain)
    if crashes:
        print(f"Destroying domain: {domain} ...")
    return 0


def saved_configuration(path: Path) -> str:
    """Return the configuration in a file that `xm save` has written, "" if there is none."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD.size)
            tag, length = _HEAD.unpack(head) if len(head) == _HEAD.size else (b"", 0)
            text = file.read(min(length, _LONGEST_CONFIGURATION)) if tag == _TAG else b""
    except OSError:
        return ""
    return text.decode(errors="replace")


def _absolute(path: str) -> Path:
    """Return the path from the root, `..` resolved as text. Raises: XmError."""
    if "\0" in path:
        raise XmError("Invalid argument.")
    try:
        return Path(os.path.abspath(path))  # noqa: PTH100  Path.absolute() keeps `..`
    except OSError as error:
        raise XmError(f"the current directory: {error.strerror}", shows_usage=False) from None


SAVE = Command(
    "save", "<Domain> <CheckpointFile>",
    "Write a domain to a file, to restore it later.",
    _save, minimum=2, maximum=2, arguments_3_1="[-c] <Domain> <CheckpointFile>",
    options=(Option("c", "checkpoint", "Leave the domain running", since="3.1"),),
)  # fmt: skip
RESTORE = Command(
    "restore", "<CheckpointFile>",
    "Bring back a domain from a file of xm save.",
    _restore, minimum=1, maximum=1, arguments_3_1="<CheckpointFile> [-p]",
    options=(Option("p", "paused", "Leave the domain paused", since="3.1"),),
)  # fmt: skip
DUMP_CORE = Command(
    "dump-core", "[-L|--live] [-C|--crash] <Domain> [Filename]",
    "Write the memory of a domain to a core file.",
    _dump_core, minimum=1, maximum=2,
    options=(
        Option("L", "live", "Do not pause the domain meanwhile"),
        Option("C", "crash", "Destroy the domain afterwards"),
    ),
)  # fmt: skip
