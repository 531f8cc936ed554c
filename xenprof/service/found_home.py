"""Finds out where the service on a HOME is scraped, though that may be anybody's HOME.

What stands in it is believed only as far as the system confirms it: its owner has such a listener.
"""

import fcntl
import ipaddress
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from xenprof.service.home_lock import LOCK_NAME

_LONGEST_BYTES = 1024
_NOTE = re.compile(r"\d{1,10}, (https?)://\[?([0-9a-f.:]{2,45})\]?:(\d{1,5})/", re.ASCII)
_PATH = re.compile(r"metrics: (/[A-Za-z0-9._~/%+-]{0,200})", re.ASCII)
_LISTENING = "0A"  # the state in /proc/net/tcp
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def scraped_at(home: Path) -> str | None:
    """Return the URL of the metrics of the service on a HOME, None if none is found.

    Raises: PermissionError: the HOME is closed to this user.
    """
    note = _note(home)
    if note is None:
        return None
    first, _, second = note.partition("\n")
    found, path = _NOTE.fullmatch(first), _PATH.fullmatch(second.rstrip("\n"))
    if found is None or path is None:
        return None
    scheme, host, port = found.groups()
    try:
        address = ipaddress.ip_address(host)
        owner = home.stat().st_uid
    except (ValueError, OSError):
        return None
    if (address, int(port), owner) not in set(_listeners()):
        return None
    host = _ANY.get(host, host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{path[1]}"


def _note(home: Path) -> str | None:
    """Return what the holder of a HOME's lock has noted; None if nobody holds it."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        lock = os.open(home / LOCK_NAME, flags)
    except PermissionError:
        raise
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(lock).st_mode):
            return None
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return os.read(lock, _LONGEST_BYTES).decode("ascii", "replace")
    except OSError:
        return None
    finally:
        os.close(lock)


_Listener = tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int, int]


def _listeners() -> Iterator[_Listener]:
    """Yield address, port and owner of each TCP listener. Source: proc_net_tcp(5)."""
    for table in ("tcp", "tcp6"):
        try:
            lines = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, local, _, state, _, _, _, owner, *_ = line.split()
            if state == _LISTENING:
                host, _, port = local.partition(":")
                words = [bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8)]
                yield ipaddress.ip_address(b"".join(words)), int(port, 16), int(owner)
