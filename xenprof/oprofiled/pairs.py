"""Packs pairs of a small number and an address into one integer, which sorts many times faster.

An address of x86-64 has 48 bits, of which the uppermost fills the rest. Pairs that do not fit
are left to their callers.
"""

import numpy as np

from xenprof.oprofiled.ranges import U64, Ints

_BITS = np.uint64(48)
_REST = np.uint64(16)
_LOW = np.uint64((1 << 48) - 1)
_LIMIT = 1 << 47  # of addresses as signed numbers
_NUMBERS = 1 << 16


def packed(numbers: Ints, addresses: U64) -> U64 | None:
    """Return one integer for each pair, by number and address in order; None if some do not fit.

    There is at least one pair.
    """
    signed = addresses.view(np.int64)
    if int(signed.max()) >= _LIMIT or int(signed.min()) < -_LIMIT or int(numbers.max()) >= _NUMBERS:
        return None
    keys: U64 = numbers.view(np.uint64) << _BITS | addresses & _LOW
    return keys


def unpacked(keys: U64) -> tuple[Ints, U64]:
    """Return the numbers and addresses of packed pairs."""
    addresses = (keys << _REST).view(np.int64) >> int(_REST)
    return (keys >> _BITS).view(np.int64), addresses.view(np.uint64)


def firsts(*columns: U64 | Ints) -> Ints:
    """Return where in sorted rows each distinct row begins."""
    differs = np.zeros(len(columns[0]), np.bool_)
    differs[:1] = True
    for column in columns:
        differs[1:] |= column[1:] != column[:-1]
    found: Ints = differs.nonzero()[0]
    return found
