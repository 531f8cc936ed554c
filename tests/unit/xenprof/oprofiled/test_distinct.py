from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.samples import SampleBatch
from xenprof.oprofiled.distinct import distinct, representatives

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**64 - 1) | st.just(7)), max_size=50)


def columns(pairs):
    tgids = np.array([tgid for tgid, _ in pairs], np.int32)
    return tgids, np.array([pc for _, pc in pairs], np.uint64)


def batch(pairs):
    tgids, pcs = columns(pairs)
    narrow, wide = np.zeros(len(pairs), np.uint8), np.zeros(len(pairs), np.int32)
    return SampleBatch(
        wide.astype(np.int64), wide, wide, wide, narrow, narrow, pcs, tgids, wide, wide, wide
    )


@given(PAIRS)
def test_a_row_is_represented_by_an_equal_one(pairs):
    assert pairs == [pairs[row] for row in representatives(columns(pairs))]


@given(PAIRS)
def test_a_representative_represents_itself(pairs):
    rows = representatives(columns(pairs))

    assert rows.tolist() == rows[rows].tolist()


def samples_of(pairs, rows):
    """Return the samples for which distinct rows stand, by tgid and pc."""
    total: Counter[tuple[int, int]] = Counter()
    for run, pc, count in zip(
        rows.run.tolist(), rows.pc.tolist(), rows.counts.tolist(), strict=True
    ):
        total[pairs[run][0], pc] += count
    return total


@pytest.mark.parametrize("with_stacks", [False, True])
@given(pairs=PAIRS.filter(bool))
def test_distinct_rows_stand_for_every_sample(pairs, with_stacks):
    rows = distinct(batch(pairs).load(), ["tgid"], with_stacks=with_stacks)

    assert Counter(pairs) == samples_of(pairs, rows)


@pytest.mark.parametrize("pc", [7, 0xFFFFFFFF80200000, 1 << 63])
def test_repeated_rows_are_merged(pc):
    rows = distinct(batch([(1, pc)] * 100).load(), ["tgid"], with_stacks=False)

    assert [(pc, 100)] == list(zip(rows.pc.tolist(), rows.counts.tolist(), strict=True))


def test_samples_of_different_stacks_are_kept_apart_on_request():
    same = batch([(1, 7)] * 3)
    samples = replace(same, stack_id=np.array([4, 5, 4], np.int32)).load()
    rows = distinct(samples, ["tgid"], with_stacks=True)

    assert {4: 2, 5: 1} == dict(zip(rows.stack_id.tolist(), rows.counts.tolist(), strict=True))
