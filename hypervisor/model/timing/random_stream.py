"""Random integers that are the same bits on every machine: no float enters a draw."""

import hashlib
import random

_FRACTION_BITS = 32
_INDEX_BITS = 10
_STEP_BITS = 22  # below the table index: for linear interpolation
_LN2 = 2977044472  # round(ln 2 * 2**32)


def _log2_fractions(index_bits: int) -> tuple[int, ...]:
    """Return log2(1 + i / 2**index_bits) * 2**32 for i = 0..2**index_bits, by repeated squaring."""
    guard = 60
    values = []
    for index in range(1 << index_bits):
        x = (1 << guard) + (index << (guard - index_bits))
        value = 0
        for _ in range(_FRACTION_BITS):
            x = x * x >> guard
            bit = x >> (guard + 1)
            value = value << 1 | bit
            x >>= bit
        values.append(value)
    values.append(1 << _FRACTION_BITS)
    return tuple(values)


_LOG2 = _log2_fractions(_INDEX_BITS)


def stream_seed(seed: int, name: str) -> int:
    """Return a 128-bit seed for the stream `name` of a run with `seed`, e.g. for numpy."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:16], "big")


class RandomStream:
    """A stream of random integers, seeded by (seed, name). Copied with its owner by deepcopy."""

    __slots__ = ("_random",)

    def __init__(self, seed: int, name: str) -> None:
        self._random = random.Random(stream_seed(seed, name))

    def bits(self, count: int) -> int:
        """Return `count` random bits."""
        return self._random.getrandbits(count)

    def uniform(self, n: int) -> int:
        """Return an integer in [0, n). The bias is below n / 2**64."""
        return self._random.getrandbits(64) * n >> 64

    def exponential_ns(self, mean_ns: int) -> int:
        """Return an exponentially distributed duration; its mean is within 10**-6 of `mean_ns`.

        -ln(u) by a table of log2 with linear interpolation, all in 32-bit fixed point.
        """
        u = self._random.getrandbits(64) | 1
        exponent = u.bit_length() - 1
        mantissa = (u << (63 - exponent)) & 0x7FFFFFFFFFFFFFFF
        index = mantissa >> 53
        low = _LOG2[index]
        low += (_LOG2[index + 1] - low) * ((mantissa >> 31) & 0x3FFFFF) >> _STEP_BITS
        minus_log2 = ((64 - exponent) << _FRACTION_BITS) - low
        return mean_ns * (minus_log2 * _LN2 >> _FRACTION_BITS) >> _FRACTION_BITS


class Streams:
    """The random streams of one machine, by name."""

    __slots__ = ("_seed", "_streams")

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._streams: dict[str, RandomStream] = {}

    def stream(self, name: str) -> RandomStream:
        """Return the stream of this name: always the same object, going on where it was.

        Streams of different names are independent; drawing from one never moves another.
        """
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = RandomStream(self._seed, name)
        return stream
