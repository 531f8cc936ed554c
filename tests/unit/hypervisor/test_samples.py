import numpy as np

from hypervisor.samples import SampleRuns, join


def runs(lengths, first_ns, step_ns):
    narrow = np.arange(len(lengths), dtype=np.int32)
    bytes_ = narrow.astype(np.uint8)
    pcs = np.arange(sum(lengths), dtype=np.uint64)
    return SampleRuns(
        np.array(lengths), np.array(first_ns), np.array(step_ns), narrow, narrow, narrow, bytes_,
        bytes_, narrow, narrow, narrow, pcs, pcs.astype(np.int32),
    )  # fmt: skip


def test_the_samples_of_a_run_follow_each_other_in_steps():
    assert [10, 12, 14, 5] == runs([3, 1], [10, 5], [2, 7]).columns().time_ns.tolist()


def test_every_sample_has_the_values_of_its_run():
    assert [0, 0, 0, 1] == runs([3, 1], [10, 5], [2, 7]).columns().domain.tolist()


def test_a_sample_of_a_batch_becomes_a_run():
    batch = runs([3, 1], [10, 5], [2, 7]).columns()

    assert batch.time_ns.tolist() == batch.load().columns().time_ns.tolist()


def test_joined_batches_follow_one_another():
    one, other = runs([2], [0], [1]), runs([1], [9], [1])

    assert [0, 1, 9] == join([one, other]).columns().time_ns.tolist()
