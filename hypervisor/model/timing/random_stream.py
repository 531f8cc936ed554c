"""Draws random integers that are the same on every machine: no draw uses a float."""

import hashlib
import random


def stream_seed(seed: int, name: str) -> int:
    """Return a 128-bit seed for the stream `name` of a run with `seed`, e.g. for numpy."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:16], "big")


class RandomStream:
    """A stream of random integers, seeded by (seed, name). `deepcopy` copies it with its owner."""

    __slots__ = ("_random",)

    def __init__(self, seed: int, name: str) -> None:
        self._random = random.Random(stream_seed(seed, name))

    def bits(self, count: int) -> int:
        """Return `count` random bits."""
        return self._random.getrandbits(count)

    def uniform(self, n: int) -> int:
        """Return an integer in [0, n). The bias is below n / 2**64."""
        return self._random.getrandbits(64) * n >> 64


class Streams:
    """The random streams of one machine, by name."""

    __slots__ = ("_seed", "_streams")

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._streams: dict[str, RandomStream] = {}

    def stream(self, name: str) -> RandomStream:
        """Return the stream of this name: always the same object, which goes on where it was.

        Streams of different names are independent; drawing from one never changes another.
        """
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = RandomStream(self._seed, name)
        return stream
