from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
)

from exporters.otlp import create
from exporters.otlp.ledger import Ledger
from exporters.otlp.profiles import ProfileFeed
from exporters.otlp.settings import Schedule
from tests.support.otlp_messages import attributes
from tests.support.otlp_receivers import grpc_receiver
from tests.support.snapshots import FixedSource
from tests.support.stack_profiles import profile
from xenprof.service.counts import Counted
from xenprof.service.exporter import ExporterSettings
from xenprof.service.handing import Handing
from xenprof.wire.history import PushStats


def sent(source: FixedSource) -> list[ExportProfilesServiceRequest]:
    feed = ProfileFeed(source, Schedule(1, 1, 60, 1), Ledger("profiles", source.counts))
    feed.poll()
    found = []
    for request in feed.requests():
        found.append(ExportProfilesServiceRequest.FromString(request.body))
        feed.settle(request, is_taken=True)
    return found


def source_with(slices: int) -> FixedSource:
    source = FixedSource()
    for _ in range(slices):
        source.journals.profiles.append(profile())
    return source


def test_a_slice_is_sent_with_all_its_samples():
    (message,) = sent(source_with(1))
    (scope,) = message.resource_profiles[0].scope_profiles
    assert [sum(sum(s.values) for s in one.samples) for one in scope.profiles] == list(
        profile().totals
    )


def test_each_slice_has_a_request_of_its_own():
    assert len(sent(source_with(3))) == 3


def test_profiles_have_the_resource_of_the_other_signals():
    found = attributes(sent(source_with(1))[0].resource_profiles[0].resource)
    assert (found["host.name"], found["host.arch"], found["service.name"]) == (
        "grumble",
        "amd64",
        "xenprof",
    )


def test_slices_that_went_before_they_were_read_are_counted():
    source = source_with(62)
    assert (
        len(sent(source)),
        source.counts.figures()[Counted.PUSH_DROPPED]["profiles", "missed"],
    ) == (60, 2)


def test_the_history_tells_what_has_become_of_them():
    source = FixedSource()
    handing = Handing(source.journals.profiles, source.counts)
    for _ in range(5):
        handing.offer(profile())
    ledger = Ledger("profiles", source.counts)
    ledger.sent(2)
    ledger.failed()
    ledger.dropped("rejected", 1)
    assert handing.stats() == PushStats(sent=2, dropped=1, failures=1, waiting=2)


def test_a_receiver_of_grpc_gets_them():
    source = source_with(1)
    with grpc_receiver() as receiver:
        exporter = create(
            source, ExporterSettings(otlp_profiles=receiver.url, otlp_protocol="grpc")
        )
        assert exporter is not None
        exporter.start()
        exporter.close()
        (got,) = receiver.got
    assert got.path.endswith("ProfilesService/Export")
