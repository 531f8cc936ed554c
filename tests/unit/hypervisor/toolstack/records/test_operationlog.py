"""The records of the toolstack's operations: what is counted, kept and found again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.errors import Refused, UnknownDomain
from hypervisor.model.timing.clock import Clock
from hypervisor.telemetry import OPERATION_BUCKETS_NS, Exemplar, OperationRecord, OperationStep
from hypervisor.toolstack.records.operationlog import OperationLog
from hypervisor.toolstack.records.steps import Steps
from hypervisor.traceids import boot_name, trace_id

MS = 1_000_000
EPOCH_NS = 1_178_704_800_000_000_000
BOOT = boot_name("grumble", EPOCH_NS)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def log(clock):
    return OperationLog("grumble", clock, EPOCH_NS)


def results(log):
    return [(one.operation, one.result, sum(one.durations.counts)) for one in log.counts()]


def test_a_request_that_ends_at_once_is_a_record(clock, log):
    clock.run_until(5)
    with log.asked("pause", "web", 3):
        pass

    assert log.last() == (
        OperationRecord(
            serial=1,
            trace_id=trace_id(BOOT, "operation", 1),
            operation="pause",
            result="done",
            domain="web",
            domid=3,
            error=None,
            began_ns=5,
            ended_ns=5,
        ),
    )


def test_a_request_that_is_refused_is_a_record_with_what_the_user_was_told(log):
    with pytest.raises(Refused), log.asked("rename", "web", 3):
        raise Refused("VM name 'db' already in use by domain 4")

    assert [(one.result, one.error) for one in log.last()] == [
        ("failed", "VM name 'db' already in use by domain 4")
    ]


def test_what_was_typed_at_great_length_is_kept_in_short(log):
    with pytest.raises(UnknownDomain), log.asked("pause", "x" * 10**6, None):
        raise UnknownDomain("x" * 10**6)
    (record,) = log.last()

    assert (record.domain, record.error) == (
        "x" * 997 + "...",
        "Domain '" + "x" * 989 + "...",
    )


def test_a_bug_is_nobodys_operation(log):
    with pytest.raises(ZeroDivisionError), log.asked("rename", "web", 3):
        raise ZeroDivisionError

    assert (log.last(), log.counts()) == ((), ())


def test_what_a_request_asks_for_inside_is_part_of_it(log):
    with log.asked("dump-core", "web", 3), log.asked("destroy", "web", 3):
        pass

    assert results(log) == [("dump-core", "done", 1)]


def test_a_request_ends_with_the_work_that_it_has_started(clock, log):
    steps = Steps(clock)
    with log.asked("start", None, None):
        entry = log.started("create", steps)
    assert log.last() == ()

    steps.begin("builder")
    clock.run_until(40 * MS)
    log.end(entry, None)

    (record,) = log.last()
    assert (record.operation, record.ended_ns - record.began_ns) == ("start", 40 * MS)
    assert record.steps == (OperationStep("builder", 0, 40 * MS),)


def test_work_of_xends_own_accord_is_an_operation_of_its_kind(clock, log):
    log.end(log.started("restart", Steps(clock)), Refused("no memory"))

    assert results(log) == [("restart", "failed", 1)]


def test_an_operation_ends_once(clock, log):
    entry = log.started("create", Steps(clock))
    log.end(entry, Refused("first"))
    log.end(entry, None)

    assert [one.error for one in log.last()] == ["first"]


def test_serials_follow_the_ends_and_trace_ids_the_beginnings(clock, log):
    first, second = (log.started("create", Steps(clock)) for _ in range(2))
    log.end(second, None)
    log.end(first, None)

    assert [(one.serial, one.trace_id) for one in log.last()] == [
        (1, trace_id(BOOT, "operation", 2)),
        (2, trace_id(BOOT, "operation", 1)),
    ]


def test_the_last_256_are_kept_and_all_are_counted(log):
    for _ in range(300):
        with log.asked("pause", "web", 3):
            pass

    assert [one.serial for one in log.last()] == list(range(45, 301))
    assert results(log) == [("pause", "done", 300)]


def test_a_duration_leads_to_the_trace_of_its_operation(clock, log):
    entry = log.started("save", Steps(clock))
    clock.run_until(200 * MS)
    log.end(entry, None)

    (count,) = log.counts()
    bucket = OPERATION_BUCKETS_NS.index(300 * MS)
    assert count.durations.exemplars[bucket] == Exemplar(
        200 * MS, EPOCH_NS + 200 * MS, trace_id(BOOT, "operation", 1)
    )


def test_a_moment_leads_to_the_operation_whose_step_went_on(clock, log):
    steps = Steps(clock)
    entry = log.started("save", steps)
    clock.run_until(10)
    steps.begin("memory")
    clock.run_until(20)
    while_it_goes_on = [log.trace_at(at) for at in (9, 10, 20)]
    log.end(entry, None)
    clock.run_until(30)

    expected = trace_id(BOOT, "operation", 1)
    assert while_it_goes_on == [None, expected, expected]
    assert [log.trace_at(at) for at in (9, 15, 21)] == [None, expected, None]


def test_a_request_without_steps_explains_no_moment(clock, log):
    log.started("shutdown", Steps(clock))
    clock.run_until(10)

    assert log.trace_at(5) is None


ended = st.tuples(st.sampled_from(["create", "save"]), st.booleans(), st.integers(0, 500))


@given(st.lists(ended, max_size=30))
def test_counts_and_records_tell_the_same(operations):
    clock = Clock()
    log = OperationLog("grumble", clock, EPOCH_NS)
    for kind, is_done, milliseconds in operations:
        entry = log.started(kind, Steps(clock))
        clock.run_until(clock.now + milliseconds * MS)
        log.end(entry, None if is_done else Refused("no"))
    told: dict[tuple[str, str], tuple[int, int]] = {}
    for record in log.last():
        count, spent = told.get((record.operation, record.result), (0, 0))
        spent += record.ended_ns - record.began_ns
        told[record.operation, record.result] = (count + 1, spent)

    assert told == {
        (one.operation, one.result): (sum(one.durations.counts), one.durations.sum_ns)
        for one in log.counts()
    }


def test_of_256_operations_the_one_of_a_moment_is_found(clock, log):
    for number in range(256):
        steps = Steps(clock)
        entry = log.started("create", steps)
        steps.begin("builder")
        clock.run_until(10 * number + 5)
        log.end(entry, None)
        clock.run_until(10 * number + 10)

    found = [log.trace_at(at) for at in (3, 7, 1003, 1007, 2553, 2557)]
    assert found == [
        trace_id(BOOT, "operation", 1), None,
        trace_id(BOOT, "operation", 101), None,
        trace_id(BOOT, "operation", 256), None,
    ]  # fmt: skip
