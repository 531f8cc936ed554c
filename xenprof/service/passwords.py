"""Checks passwords against bcrypt hashes, in a time that does not say who exists."""

import hmac
import secrets

import bcrypt

_LONGEST_PASSWORD_BYTES = 72  # bcrypt ignores the rest, and version 5 raises
_REMEMBERED = 100


class PasswordCheck:
    """Checks passwords by bcrypt, and remembers the right ones; wrong ones all take as long."""

    def __init__(self) -> None:
        """Start with nothing to remember."""
        self._key = secrets.token_bytes(32)
        self._right: dict[bytes, None] = {}

    def is_remembered(self, users: dict[str, str], user: str, password: str) -> bool:
        """Return whether `password` was found right before, and still is; it takes no time."""
        return self._proof(users, user, password) in self._right

    def is_right(self, users: dict[str, str], user: str, password: str) -> bool:
        """Return whether `password` is that of `user`; it takes a bcrypt of the highest cost."""
        secret = password.encode()
        if len(secret) > _LONGEST_PASSWORD_BYTES:
            return False
        if self.is_remembered(users, user, password):  # since this check began to wait
            return True
        highest = max(map(_cost, users.values()))
        # An unknown user's password is compared too, as the time would otherwise show who exists.
        hashed = users.get(user) or _nobodys_hash(highest)
        is_right = bcrypt.checkpw(secret, hashed.encode())
        # One step of cost doubles the work: c, c again, c+1 and so on up to the last below the
        # highest add up to the highest.
        for cost in range(_cost(hashed), highest):
            bcrypt.checkpw(secret, _nobodys_hash(cost).encode())
        if not is_right or user not in users:
            return False
        if len(self._right) >= _REMEMBERED:
            self._right.clear()
        self._right[self._proof(users, user, password)] = None
        return True

    def _proof(self, users: dict[str, str], user: str, password: str) -> bytes:
        return hmac.digest(self._key, repr((user, password, users.get(user))).encode(), "sha256")


def _cost(hashed: str) -> int:
    return int(hashed[4:6])


def _nobodys_hash(cost: int) -> str:
    return f"$2b${cost:02d}$" + "." * 53
