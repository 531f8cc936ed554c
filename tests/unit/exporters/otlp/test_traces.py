from dataclasses import replace

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from exporters.otlp.ids import span_id
from exporters.otlp.ledger import Ledger
from exporters.otlp.settings import Schedule
from exporters.otlp.traces import TraceFeed
from hypervisor.telemetry import OperationRecord, OperationStep, ProfilingSession
from tests.support.otlp_messages import attributes, spans_of
from tests.support.snapshots import FixedSource, grumble
from xenprof.service.counts import Counted

SECOND = 10**9
BOOT_NS = 1_170_000_000 * SECOND
OFFSET_NS = 600_000_000 * SECOND
TRACE = "0123456789abcdef0123456789abcdef"
STEPS = (
    OperationStep("build", 2 * SECOND, 3 * SECOND),
    OperationStep("unpause", 5 * SECOND, 5 * SECOND),
    OperationStep("hotplug vif", 3 * SECOND, 4 * SECOND),
)
CREATE = OperationRecord(1, TRACE, "create", "done", "web", 7, None, 2 * SECOND, 5 * SECOND, STEPS)
FAILED = replace(
    CREATE, serial=2, trace_id="f" * 32, result="failed", error="no memory", domid=None, steps=()
)


def feed_of(*operations: OperationRecord, most_waiting: int = 100) -> TraceFeed:
    source = FixedSource(replace(grumble(), last_operations=operations))
    source.journals.offset_ns = OFFSET_NS
    return TraceFeed(source, Schedule(1, 1, most_waiting, 10), Ledger("traces", source.counts))


def source_of(feed: TraceFeed) -> FixedSource:
    assert isinstance(feed._source, FixedSource)
    return feed._source


def sent(feed: TraceFeed, *, taken: bool = True) -> list[Span]:
    feed.poll()
    found = []
    for request in feed.requests():
        found += spans_of(request.body)
        if not taken:
            break
        feed.settle(request, is_taken=True)
    return found


def dropped(feed: TraceFeed) -> dict[str, int]:
    counts = source_of(feed).counts.figures()[Counted.PUSH_DROPPED]
    return {reason: count for (_, reason), count in counts.items() if count}


def test_an_operation_is_a_span_with_a_child_for_each_step():
    root, build, hotplug = sent(feed_of(CREATE))
    assert [(span.name, span.parent_span_id) for span in (root, build, hotplug)] == [
        ("create", b""),
        ("build", root.span_id),
        ("hotplug vif", root.span_id),
    ]


def test_all_spans_of_an_operation_have_its_trace_and_ids_of_their_own():
    spans = sent(feed_of(CREATE))
    assert ({span.trace_id.hex() for span in spans}, len({span.span_id for span in spans})) == (
        {TRACE},
        3,
    )


def test_the_root_has_the_id_that_exemplars_name():
    assert sent(feed_of(CREATE))[0].span_id == span_id(TRACE)


def test_times_are_those_of_the_wall():
    root, build, _ = sent(feed_of(CREATE))
    assert [(span.start_time_unix_nano, span.end_time_unix_nano) for span in (root, build)] == [
        (BOOT_NS + OFFSET_NS + 2 * SECOND, BOOT_NS + OFFSET_NS + 5 * SECOND),
        (BOOT_NS + OFFSET_NS + 2 * SECOND, BOOT_NS + OFFSET_NS + 3 * SECOND),
    ]


def test_a_step_without_a_duration_is_an_event():
    root = sent(feed_of(CREATE))[0]
    assert [(event.name, event.time_unix_nano) for event in root.events] == [
        ("unpause", BOOT_NS + OFFSET_NS + 5 * SECOND)
    ]


def test_an_operation_tells_what_it_was_and_on_which_domain():
    assert attributes(sent(feed_of(CREATE))[0]) == {
        "xen.toolstack.operation": "create",
        "xen.toolstack.result": "done",
        "xen.domain.name": "web",
        "xen.domain.id": 7,
    }


def test_a_failure_is_an_error_with_what_the_user_was_told():
    status = sent(feed_of(FAILED))[0].status
    assert (status.code, status.message) == (Status.STATUS_CODE_ERROR, "no memory")


def test_a_name_that_is_no_utf8_is_sent_as_prometheus_gets_it():
    odd = replace(FAILED, domain="vm\udce9", error="no vm\udce9")
    root = sent(feed_of(odd))[0]
    assert (attributes(root)["xen.domain.name"], root.status.message) == (
        r"vm\udce9",
        r"no vm\udce9",
    )


def test_success_leaves_the_status_unset():
    assert sent(feed_of(CREATE))[0].status.code == Status.STATUS_CODE_UNSET


def test_nothing_is_sent_twice():
    feed = feed_of(CREATE)
    sent(feed)
    assert sent(feed) == []


def test_what_was_not_taken_is_sent_again():
    feed = feed_of(CREATE)
    first = sent(feed, taken=False)
    assert sent(feed) == first


def test_operations_that_are_gone_before_they_were_read_are_counted():
    feed = feed_of(CREATE)
    sent(feed)
    late = replace(FAILED, serial=9)
    source_of(feed).host = replace(source_of(feed).host, last_operations=(late,))
    sent(feed)
    assert dropped(feed) == {"missed": 7}


def test_operations_that_were_gone_at_the_first_look_are_counted_too():
    feed = feed_of(replace(CREATE, serial=400))
    sent(feed)
    assert dropped(feed) == {"missed": 399}


def test_the_oldest_spans_go_when_too_many_wait():
    many = [replace(FAILED, serial=number) for number in range(1, 8)]
    feed = feed_of(*many, most_waiting=5)
    assert (len(sent(feed)), dropped(feed)) == (5, {"queue_full": 2})


def test_a_session_of_the_profiler_is_a_span_when_it_has_ended():
    session = ProfilingSession(TRACE, 4 * SECOND, ("EVENT:1:0:1:1",), (0, 3), (1,))
    feed = feed_of()
    for step, profiling in ((5, session), (7, None)):
        source_of(feed).journals.note(replace(grumble(step), profiling=profiling), ())
    source_of(feed).journals.offset_ns = OFFSET_NS
    (span,) = sent(feed)
    assert (
        span.name,
        span.trace_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        attributes(span),
    ) == (
        "profile",
        TRACE,
        BOOT_NS + OFFSET_NS + 4 * SECOND,
        BOOT_NS + OFFSET_NS + 7 * SECOND,
        {
            "xen.profile.events": ["EVENT:1:0:1:1"],
            "xen.profile.active_domains": [0, 3],
            "xen.profile.passive_domains": [1],
        },
    )
