"""The processes of a guest and their times."""

from hypervisor.model.codebook.work import TaskIdentity
from hypervisor.model.cpu.processtable import ProcessTable

LINPACK = "/usr/bin/linpack"


def with_processes(*spent_ns):
    """Return a table with one process for each time, pids from 1000, and their threads."""
    table = ProcessTable(1)
    threads = [TaskIdentity(1000 + n, 1000 + n, LINPACK) for n in range(len(spent_ns))]
    for thread, spent in zip(threads, spent_ns, strict=True):
        thread.spent_ns = spent
        table.add(thread.tgid, [thread])
    return table, threads


def test_a_process_has_the_time_of_its_threads():
    table, _ = with_processes(5)
    second = TaskIdentity(1000, 1001, LINPACK)
    second.spent_ns = 7
    table.add(1000, [second])

    assert 12 == table.spent_ns(1000)


def test_a_process_that_ended_still_counts_for_its_program_and_the_sum():
    table, _ = with_processes(5, 7)
    table.end(1000)

    assert (True, 0, 12, 12) == (
        table.is_ended(1000),
        table.spent_ns(1000),
        table.program_ns(LINPACK),
        table.all_ns(),
    )


def test_a_process_that_starts_again_starts_at_0():
    table, threads = with_processes(5)
    table.end(1000)
    table.restart(1000)
    threads[0].spent_ns += 3

    assert (False, 3, 8) == (table.is_ended(1000), table.spent_ns(1000), table.all_ns())


def test_kernel_threads_are_numbered_as_a_kernel_with_two_processors_starts_them():
    names = ProcessTable(2).kernel_threads

    assert {
        2: "migration/0", 3: "ksoftirqd/0", 4: "watchdog/0",
        5: "migration/1", 6: "ksoftirqd/1", 7: "watchdog/1", 8: "events/0", 9: "events/1",
    }.items() <= names.items()  # fmt: skip


def test_a_thread_of_the_kernel_has_no_address_space():
    thread = ProcessTable(1).kernel_thread("kswapd0")

    assert (0, 0, "") == (thread.tgid, thread.tid, thread.program)
