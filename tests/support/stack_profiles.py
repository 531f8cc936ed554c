"""Stack profiles for the tests: a small joined one made by hand, and any by hypothesis."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from xenprof.profile.stacks import Frame, Layer, SampleType, StackProfile

USER, KERNEL, HYPERVISOR = Layer
CYCLES = SampleType("GLOBAL_POWER_EVENTS", 100_000, 1)
INSTRUCTIONS = SampleType("INSTR_RETIRED", 200_000, 1)
MISSES = SampleType("BSQ_CACHE_REFERENCE", 1_000, 0x100)
HOSTILE = "</script><b onclick=\"x('&')\">;\n\x01]]>"

FRAMES = (
    Frame("main", "/usr/sbin/httpd", USER, "web"),
    Frame("parse", "/usr/sbin/httpd", USER, "web", "parse.c", 12),
    Frame("sys_write", "/boot/vmlinux", KERNEL, "web"),
    Frame("do_grant", "/boot/xen-syms", HYPERVISOR, "web"),
    Frame("net_rx", "netbk", KERNEL, "Domain-0"),
    Frame("e1000_xmit", "e1000", KERNEL, "Domain-0"),
    Frame("", "/usr/bin/stripped", USER, "Domain-0"),
    Frame(HOSTILE, "/tmp/a;b.so", USER, "we:b 2"),
)
# A request that ends in domain 0's card; recursion; code without a symbol; a hostile name.
STACKS = ((0,), (0, 1), (0, 1, 1), (0, 2, 3), (0, 2, 3, 4, 5), (6,), (7, 7))
VALUES = ((5, 2, 0), (40, 30, 1), (3, 0, 0), (20, 4, 9), (25, 8, 2), (6, 3, 0), (1, 1, 0))


def profile(values: Sequence[Sequence[int]] = VALUES, columns: int = 3) -> StackProfile:
    """Return the joined profile, with its first events."""
    counts = np.array(values, np.int64)[:, :columns]
    return StackProfile(
        FRAMES, STACKS, counts, (CYCLES, INSTRUCTIONS, MISSES)[:columns], "grumble", 3200.0,
        1_200_000_000_000_000_000, 30_000_000_000, {"cpu_buffer_overflow": 5, "ring_full": 2},
    )  # fmt: skip


def flat() -> StackProfile:
    """Return a profile of one-frame stacks and one event."""
    return StackProfile(
        FRAMES[:6],
        tuple((index,) for index in range(6)),
        np.array([[50], [200], [90], [30], [10], [120]], np.int64),
        (CYCLES,),
    )


BEFORE = ((5, 2, 0), (90, 30, 1), (3, 0, 0), (20, 4, 9), (0, 8, 2), (6, 3, 0), (1, 1, 0))


def scaled(values: Sequence[Sequence[int]], factor: int) -> list[list[int]]:
    """Return counts multiplied, so that differences are significant."""
    return [[count * factor for count in row] for row in values]


_names = st.text(st.characters(codec="utf-8"), max_size=4)
_frames = st.builds(
    Frame,
    _names,
    st.sampled_from(["/usr/bin/a", "vmlinux", "/x/y z"]),
    st.sampled_from(Layer),
    st.sampled_from(["Domain-0", "web", "a:b%"]),
    st.sampled_from(["", "a.c"]),
    st.integers(0, 3),
)


@st.composite
def profiles(draw: st.DrawFn) -> StackProfile:
    """Draw any small profile; stacks may be equal and frames unused."""
    frames = draw(st.lists(_frames, min_size=1, max_size=6, unique=True))
    step = st.integers(0, len(frames) - 1)
    stacks = draw(st.lists(st.lists(step, min_size=1, max_size=5), min_size=1, max_size=8))
    kinds = draw(st.integers(1, 3))
    count = st.integers(0, 1 << 40)
    values = draw(
        st.lists(
            st.lists(count, min_size=kinds, max_size=kinds),
            min_size=len(stacks),
            max_size=len(stacks),
        )
    )
    return StackProfile(
        tuple(frames),
        tuple(tuple(stack) for stack in stacks),
        np.array(values, np.int64),
        (CYCLES, INSTRUCTIONS, MISSES)[:kinds],
    )


def for_any(*strategies: st.SearchStrategy):
    """Return given() without a deadline and with fewer examples."""

    def decorated(test):
        return settings(deadline=None, max_examples=50)(given(*strategies)(test))

    return decorated
