"""The whole exporter with receivers on the loopback."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from exporters.otlp import create
from exporters.otlp.overgrpc import METHODS
from hypervisor.telemetry import OperationRecord
from tests.support.otlp_messages import attributes, records_of, resource_of, spans_of
from tests.support.otlp_receivers import Receiver, Reply, grpc_receiver, http_receiver, partial
from tests.support.snapshots import FixedSource, grumble
from xenprof.service.counts import Counted
from xenprof.service.exporter import ExporterSettings, OtlpProtocol

CREATE = OperationRecord(1, "a" * 32, "create", "done", "web", 7, None, 0, 10**9)
RECEIVERS = {"http/protobuf": http_receiver, "grpc": grpc_receiver}


def source_of_everything() -> FixedSource:
    source = FixedSource(replace(grumble(), last_operations=(CREATE,)))
    source.journals.note(source.host, ["[2007-03-14 12:00:00 3070] INFO (XendDomain:1) hello"])
    return source


def push(source: FixedSource, url: str, protocol: OtlpProtocol) -> float:
    """Start and close the exporter: closing sends once; return the seconds that it took."""
    exporter = create(source, ExporterSettings(url, protocol, 3600.0))
    assert exporter is not None
    exporter.start()
    began = time.monotonic()
    exporter.close()
    return time.monotonic() - began


@contextmanager
def abandoned() -> Iterator[None]:
    """Wait in the end for the threads that were left alone with their receiver."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("otlp "):
            thread.join(30)


def by_signal(receiver: Receiver) -> dict[str, bytes]:
    signals = {path: signal for signal, path in METHODS.items()}
    return {signals.get(got.path, got.path.rpartition("/")[2]): got.body for got in receiver.got}


def test_without_an_endpoint_there_is_no_exporter(monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    before = threading.active_count()
    none = create(FixedSource(), ExporterSettings())
    assert (none, before) == (None, threading.active_count())


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_every_signal_arrives(protocol: OtlpProtocol):
    with RECEIVERS[protocol]() as receiver:
        push(source_of_everything(), receiver.url, protocol)
        assert set(by_signal(receiver)) == {"metrics", "logs", "traces"}


def test_all_signals_have_the_same_resource():
    with http_receiver() as receiver:
        push(source_of_everything(), receiver.url, "http/protobuf")
        resources = [
            attributes(resource_of(body, signal)) for signal, body in by_signal(receiver).items()
        ]
    assert (len(resources), resources) == (3, [resources[0]] * 3)


def test_logs_and_traces_have_what_has_happened():
    with http_receiver() as receiver:
        push(source_of_everything(), receiver.url, "http/protobuf")
        found = by_signal(receiver)
    assert (
        [span.name for span in spans_of(found["traces"])],
        [record.body.string_value for record in records_of(found["logs"])],
    ) == (["create"], ["hello", "create of web done after 1.000 s"])


def test_variables_of_resources_go_before_our_own(monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=no,host.name=h%201,rack=7")
    # Of a run of its own, as the resource is kept.
    source = source_of_everything()
    source.service = replace(source.service, started_unix=1.0)
    with http_receiver() as receiver:
        push(source, receiver.url, "http/protobuf")
        found = attributes(resource_of(by_signal(receiver)["metrics"]))
    assert (found["service.name"], found["host.name"], found["rack"]) == ("mine", "h 1", "7")


def test_what_was_sent_and_refused_is_counted_by_signal():
    source = source_of_everything()
    with http_receiver() as receiver:
        receiver.replies = [Reply(body=partial(1, "no"))] * 3
        push(source, receiver.url, "http/protobuf")
    figures = source.counts.figures()
    assert {
        signal: (
            figures[Counted.PUSH_SENT][signal,],
            figures[Counted.PUSH_FAILURES][signal,],
            figures[Counted.PUSH_DROPPED][signal, "rejected"],
        )
        for signal in ("logs", "traces")
    } == {"logs": (1, 1, 1), "traces": (0, 1, 1)}


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_stopping_takes_at_most_2_seconds_with_a_receiver_that_never_answers(
    protocol: OtlpProtocol,
):
    with abandoned(), RECEIVERS[protocol](answers=False) as receiver:
        assert push(source_of_everything(), receiver.url, protocol) < 2.0


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_stopping_takes_at_most_2_seconds_in_the_middle_of_a_push(protocol: OtlpProtocol):
    with abandoned(), RECEIVERS[protocol](answers=False) as receiver:
        exporter = create(source_of_everything(), ExporterSettings(receiver.url, protocol, 0.1))
        assert exporter is not None
        exporter.start()
        receiver.wait_for(1)
        began = time.monotonic()
        exporter.close()
        assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_an_unreachable_endpoint_is_one_line_for_each_signal(protocol: OtlpProtocol, caplog):
    push(source_of_everything(), "http://127.0.0.1:1", protocol)
    assert sorted(line.partition(" to ")[0] for line in caplog.messages) == [
        "OTLP push of logs",
        "OTLP push of metrics",
        "OTLP push of traces",
    ]
