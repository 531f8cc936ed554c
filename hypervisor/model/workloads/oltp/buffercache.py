"""How often a page is not in the buffer cache, by the sizes of database and cache.

TPC-C chooses customers and items as two random numbers, of which the bits are joined by `or`
(clause 2.1.6, NURand), so that each of the lower bits is set three times in four. A number with k
of n bits set is chosen (3/4)^k (1/4)^(n-k) of the time; rows whose numbers differ in the lowest
bits alone share a page, and have one probability together. 20 % of the rows get 85 % of the
accesses then; simulations of the benchmark say 84 % (Leutenegger and Dias, SIGMOD 1993). What a
cache with least recently used replacement holds of such pages follows from Che et al., Hierarchical
web caching systems, IEEE JSAC 20(7), 2002.
"""

from math import comb, exp
from typing import Final

MILLION: Final = 1_000_000
_STEPS: Final = 100
_SET: Final = 0.75  # how often a bit is set


def misses_per_million(database_pages: int, cache_pages: int, bits: int) -> int:
    """Return how many of a million accesses miss; `bits` of a number decide about its page."""
    if cache_pages >= database_pages:
        return 0
    rows = [
        (
            database_pages * comb(bits, ones) / 2.0**bits,  # pages
            _SET**ones * (1 - _SET) ** (bits - ones) * 2.0**bits / database_pages,  # of each
        )
        for ones in range(bits + 1)
    ]
    least, most = 0.0, float(database_pages) * 4.0**bits
    for _ in range(_STEPS):
        age = (least + most) / 2
        held = sum(pages * (1 - exp(-often * age)) for pages, often in rows)
        if held < cache_pages:
            least = age
        else:
            most = age
    missed = sum(pages * often * exp(-often * most) for pages, often in rows)
    return round(missed * MILLION)
