"""Checks passwords against bcrypt hashes, by the C library's crypt, and limits wrong ones."""

import binascii
import ctypes
import hmac
import os
import threading
import time
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.limits import (
    DELAY_SECONDS,
    FAILURE_SECONDS,
    FAILURES_OF_ADDRESS,
    FAILURES_OF_ALL,
    MOST_PASSWORD_BYTES,
    REMEMBERED_NETWORKS,
    REMEMBERED_PASSWORDS,
    WAITING_FOR_CHECKS,
    WAITING_SECONDS,
)
from hypervisor.live.agent.web.turns import Networks, TooMany, Turns, networks_of

_LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2", None)  # None: musl has it in the C library itself
_SALT = "." * 22
_HASH_CHARACTERS = 60
_TRIED = ("$2y$04$" + _SALT).encode()


class NoBcrypt(AgentError):
    """Says that this C library knows no bcrypt."""

    exit_code = 2


Hash = Callable[[bytes, str], str]
"""Hashes a password with the settings at the beginning of a hash."""


def bcrypt() -> Hash:
    """Return the C library's bcrypt. Not for two threads at a time. Raises: NoBcrypt."""
    for name in _LIBRARIES:
        try:
            crypt = ctypes.CDLL(name).crypt
        except (OSError, AttributeError):
            continue
        crypt.restype = ctypes.c_char_p
        crypt.argtypes = (ctypes.c_char_p, ctypes.c_char_p)
        if (crypt(b"", _TRIED) or b"").startswith(_TRIED):

            def hashed(password: bytes, setting: str, crypt: Callable[..., bytes] = crypt) -> str:
                # $2b$ and $2y$ are one algorithm; older libraries know the second name alone.
                known = setting.replace("$2b$", "$2y$", 1).encode()
                return setting[:4] + (crypt(password, known) or b"").decode("ascii", "replace")[4:]

            return hashed
    raise NoBcrypt(
        "basic_auth_users: the C library here knows no bcrypt, as libxcrypt and musl do; "
        "let clients show certificates, or use --web.unix-socket"
    )


class Passwords:
    """Checks passwords, one at a time, and remembers right ones; wrong ones all take as long."""

    def __init__(
        self,
        users: Mapping[str, str],
        hashed: Hash,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """`users` has bcrypt hashes by name; `wait` waits for so many seconds."""
        self._users = users
        self._hash = hashed
        self._key = os.urandom(32)
        self._right: Dict[bytes, None] = {}
        self._failures = _Failures(clock)
        self._turns = Turns(WAITING_FOR_CHECKS, WAITING_SECONDS, self._failures.of)
        self._wait = wait

    def let_in(self, authorization: str, address: str) -> bool:
        """Return whether a header of this value shows a right password. Raises: TooMany."""
        given = _credentials(authorization)
        if given is None:
            return False
        proof = self._proof(*given)
        if proof in self._right:  # known without work: nobody who guesses can make it wait
            return True
        networks = networks_of(address)
        if self._failures.are_too_many(networks[-1]):
            raise TooMany
        self._turns.take(networks)
        try:
            if self._failures.are_too_many(networks[-1]):
                raise TooMany
            if self._failures.are_many():  # strangers must not lock out who is not wrong
                self._wait(DELAY_SECONDS)
            if not self._is_right(*given):
                self._failures.add(networks)
                return False
            if len(self._right) >= REMEMBERED_PASSWORDS:
                self._right.clear()
            self._right[proof] = None
            return True
        finally:
            self._turns.leave()

    def _is_right(self, user: str, password: bytes) -> bool:
        """Return whether the password is the user's; it takes a bcrypt of the highest cost."""
        if len(password) > MOST_PASSWORD_BYTES or b"\0" in password:  # C would see its beginning
            return False
        highest = max(_cost(one) for one in self._users.values())
        # An unknown user's password is compared too, as the time would otherwise show who exists.
        wanted = self._users.get(user) or f"$2b${highest:02d}$".ljust(_HASH_CHARACTERS, ".")
        found = self._hash(password, wanted)
        # One step of cost doubles the work: c, c again, c+1 and so on add up to the highest.
        for cost in range(_cost(wanted), highest):
            self._hash(password, f"$2b${cost:02d}${_SALT}")
        return hmac.compare_digest(found.encode(), wanted.encode()) and user in self._users

    def _proof(self, user: str, password: bytes) -> bytes:
        text = repr((user, password)).encode("utf-8", "backslashreplace")
        return hmac.new(self._key, text, "sha256").digest()


class _Failures:
    """Counts wrong passwords of the last minute, by network and together. Threads may share it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._of: Dict[str, List[float]] = {}
        self._all: List[float] = []

    def of(self, network: str) -> int:
        with self._lock:
            since = self._clock() - FAILURE_SECONDS
            found = [at for at in self._of.pop(network, ()) if at > since]
            if found:
                self._of[network] = found
            return len(found)

    def are_too_many(self, network: str) -> bool:
        own = self.of(network)
        return own >= FAILURES_OF_ADDRESS or (bool(own) and self.are_many())

    def are_many(self) -> bool:
        with self._lock:
            since = self._clock() - FAILURE_SECONDS
            self._all = [at for at in self._all if at > since]
            return len(self._all) >= FAILURES_OF_ALL

    def add(self, networks: Networks) -> None:
        with self._lock:
            now = self._clock()
            self._all.append(now)
            for network in reversed(networks):  # the widest ones are forgotten last
                self._of[network] = [*self._of.pop(network, ()), now]
            while len(self._of) > REMEMBERED_NETWORKS:
                del self._of[next(iter(self._of))]


def _credentials(authorization: str) -> Optional[Tuple[str, bytes]]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = binascii.a2b_base64(encoded.strip().encode("ascii")).partition(b":")
        return (user.decode("utf-8"), password) if colon else None
    except ValueError:  # of either decoder
        return None


def _cost(hashed: str) -> int:
    return int(hashed[4:6])
