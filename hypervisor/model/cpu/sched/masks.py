"""Bit masks of pcpus: bit n stands for pcpu n."""


def mask_of(pcpus: tuple[int, ...]) -> int:
    """Return the mask of these pcpus."""
    mask = 0
    for pcpu in pcpus:
        mask |= 1 << pcpu
    return mask


def bits_of(mask: int) -> int:
    """Return how many pcpus are in a mask. Compiled code would look `bit_count` up by its name."""
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


def first_allowed(affinity: int, pcpus: int) -> int:
    """Return the lowest existing pcpu of a mask."""
    allowed = affinity & ((1 << pcpus) - 1)
    return (allowed & -allowed).bit_length() - 1
