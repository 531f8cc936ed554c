import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber

from exporters.otlp.ids import span_id
from exporters.otlp.ledger import Ledger
from exporters.otlp.logs import LogFeed
from exporters.otlp.settings import Schedule
from hypervisor.telemetry import OperationRecord
from tests.support.otlp_messages import attributes, records_of
from tests.support.snapshots import FixedSource, grumble
from xenprof.service.counts import Counted
from xenprof.service.journal import Journal

SECOND = 10**9
BOOT_NS = 1_170_000_000 * SECOND
OFFSET_NS = 600_000_000 * SECOND
TRACE = "0123456789abcdef0123456789abcdef"
LINE = "[2007-03-14 12:00:00 xend.XendDomainInfo 3070] WARNING (XendDomainInfo:875) Domain has crashed: name=ossvm02 id=2."
FAILED = OperationRecord(
    1, TRACE, "create", "failed", "web", 7, "no memory", 2 * SECOND, 5 * SECOND
)


@pytest.fixture
def source() -> FixedSource:
    return FixedSource()


@pytest.fixture
def feed(source: FixedSource) -> Iterator[LogFeed]:
    made = LogFeed(source, Schedule(1, 1, 100, 10), Ledger("logs", source.counts))
    yield made
    made.close()


def note(source: FixedSource, *lines: str) -> None:
    source.journals.note(source.host, lines)
    source.journals.offset_ns = OFFSET_NS


def sent(feed: LogFeed) -> list[LogRecord]:
    feed.poll()
    found = []
    for request in feed.requests():
        found += records_of(request.body)
        feed.settle(request, is_taken=True)
    return found


def test_an_entry_of_xends_log_has_severity_text_and_place(feed: LogFeed, source: FixedSource):
    note(source, LINE)
    (record,) = sent(feed)
    assert (
        record.severity_text,
        record.severity_number,
        record.body.string_value,
        attributes(record),
    ) == (
        "WARNING",
        SeverityNumber.SEVERITY_NUMBER_WARN,
        "Domain has crashed: name=ossvm02 id=2.",
        {
            "log.file.name": "xend.log",
            "xen.toolstack.logger": "xend.XendDomainInfo",
            "process.pid": 3070,
            "code.file.path": "XendDomainInfo.py",
            "code.line.number": 875,
            "xen.domain.name": "ossvm02",
            "xen.domain.id": 2,
        },
    )


def test_an_entry_has_the_time_of_the_wall(feed: LogFeed, source: FixedSource):
    note(source, LINE)
    assert sent(feed)[0].time_unix_nano == 1_173_873_600 * SECOND + OFFSET_NS


def test_a_domain_that_is_gone_is_named_by_the_entry(feed: LogFeed, source: FixedSource):
    note(source, LINE.replace("name=ossvm02 id=2", "name=old id=77"))
    found = attributes(sent(feed)[0])
    assert (found["xen.domain.name"], found["xen.domain.id"]) == ("old", 77)


def test_the_name_of_a_living_domain_is_found_by_its_id(feed: LogFeed, source: FixedSource):
    note(source, LINE.replace("Domain has crashed: name=ossvm02 id=2.", "destroy: domid=2"))
    assert attributes(sent(feed)[0])["xen.domain.name"] == "ossvm02"


def test_a_domain_that_has_another_name_now_has_that_of_the_entry(
    feed: LogFeed, source: FixedSource
):
    note(source, LINE.replace("name=ossvm02 id=2", "name=migrating-ossvm02 id=2"))
    assert attributes(sent(feed)[0])["xen.domain.name"] == "migrating-ossvm02"


def test_a_line_of_another_form_is_sent_as_it_is(feed: LogFeed, source: FixedSource):
    note(source, "what is \udce9 this")
    (record,) = sent(feed)
    assert (record.body.string_value, record.time_unix_nano) == (
        r"what is \udce9 this",
        BOOT_NS + 10 * SECOND + OFFSET_NS,
    )


def test_the_end_of_an_operation_is_an_event_that_leads_to_its_trace(
    feed: LogFeed, source: FixedSource
):
    source.host = replace(grumble(), last_operations=(FAILED,))
    (record,) = sent(feed)
    assert (
        record.event_name,
        record.severity_text,
        record.body.string_value,
        record.trace_id.hex(),
        record.span_id,
    ) == (
        "xen.toolstack.operation",
        "ERROR",
        "create of web failed after 3.000 s: no memory",
        TRACE,
        span_id(TRACE),
    )


PAUSE = replace(FAILED, operation="pause", domid=2, began_ns=6 * SECOND, ended_ns=7 * SECOND)
OF_PAUSE = "[2007-01-28 16:00:07 3070] INFO (XendDomain:384) Domain ossvm02 (2) paused."


@pytest.mark.parametrize(
    ("operations", "trace"),
    [
        ((PAUSE,), TRACE),
        ((PAUSE, replace(PAUSE, serial=2, trace_id="f" * 32)), ""),
        ((replace(PAUSE, domid=3),), ""),
        ((replace(PAUSE, ended_ns=6 * SECOND),), ""),
        ((replace(PAUSE, began_ns=8 * SECOND, ended_ns=9 * SECOND),), ""),
        ((), ""),
    ],
)
def test_an_entry_leads_to_the_trace_of_the_only_operation_of_its_domain_and_second(
    feed: LogFeed, source: FixedSource, operations: tuple[OperationRecord, ...], trace: str
):
    source.host = replace(grumble(), last_operations=operations)
    note(source, OF_PAUSE)
    assert sent(feed)[0].trace_id.hex() == trace


def test_what_the_service_logs_is_sent(feed: LogFeed):
    logging.getLogger("xenprof.service.thing").warning("lost %d", 3)
    (record,) = sent(feed)
    assert (record.severity_text, record.body.string_value) == ("WARNING", "lost 3")


def test_an_exception_is_sent_with_its_stack(feed: LogFeed):
    try:
        raise ZeroDivisionError("why")
    except ZeroDivisionError:
        logging.getLogger("xenprof.service.thing").exception("it failed")
    assert "ZeroDivisionError: why" in str(attributes(sent(feed)[0])["exception.stacktrace"])


def test_what_others_log_is_not_sent(feed: LogFeed):
    logging.getLogger("urllib3.connectionpool").warning("a retry")
    assert sent(feed) == []


def test_after_its_end_nothing_more_is_taken_over(source: FixedSource):
    made = LogFeed(source, Schedule(1, 1, 100, 10), Ledger("logs", source.counts))
    made.close()
    logging.getLogger("xenprof.service.thing").warning("late")
    assert sent(made) == []


def test_nothing_is_sent_twice(feed: LogFeed, source: FixedSource):
    note(source, LINE)
    source.host = replace(grumble(), last_operations=(FAILED,))
    logging.getLogger("xenprof.service.thing").warning("lost")
    assert (len(sent(feed)), sent(feed)) == (3, [])


def test_lines_that_went_before_they_were_read_are_counted(feed: LogFeed, source: FixedSource):
    source.journals.xend = Journal(2)
    note(source, LINE, LINE, LINE)
    assert len(sent(feed)) == 2
    assert source.counts.figures()[Counted.PUSH_DROPPED]["logs", "missed"] == 1


def test_a_request_has_a_bounded_number_of_records(feed: LogFeed, source: FixedSource):
    note(source, *[LINE] * 25)
    feed.poll()
    sizes = []
    for request in feed.requests():
        sizes.append(request.items)
        feed.settle(request, is_taken=True)
    assert sizes == [10, 10, 5]
