"""Feeds profiles: slices of the history, as messages that are still in development."""

from collections.abc import Iterator, Sequence

from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from exporters.otlp import wire
from exporters.otlp.ledger import Ledger
from exporters.otlp.outbox import Outbox
from exporters.otlp.resource import plain_attributes, resource_of
from exporters.otlp.sending import Request
from exporters.otlp.settings import Schedule
from xenprof.profile.stacks import StackProfile
from xenprof.report.formats import otlp
from xenprof.service.exporter import SnapshotSource


class ProfileFeed:
    """Makes a request of each slice; one is an item, however many events it has."""

    def __init__(self, source: SnapshotSource, schedule: Schedule, ledger: Ledger) -> None:
        self._source = source
        self._ledger = ledger
        self._outbox: Outbox[StackProfile] = Outbox(schedule, self._encode, ledger)
        self._serial = 0

    @property
    def waiting(self) -> int:
        """Return how many slices wait."""
        return self._outbox.waiting

    def poll(self) -> None:
        """Take over the slices that have ended."""
        reading = self._source.journals.profiles.after(self._serial)
        self._serial = reading.serial
        self._ledger.dropped("missed", reading.missed)
        self._outbox.add(reading.entries)

    def requests(self) -> Iterator[Request]:
        """Yield the slices that wait."""
        return self._outbox.requests()

    def settle(self, request: Request, *, is_taken: bool) -> None:
        """Forget a slice."""
        self._outbox.settle(request)

    def put_off(self) -> int:
        """Keep the slices."""
        return 0

    def _encode(self, profiles: Sequence[StackProfile]) -> bytes:
        (profile,) = profiles  # the dictionary of a request is that of one
        data = otlp.message(profile)
        host, stats = self._source.snapshot(), self._source.stats()
        attributes = wire.attributes(1, plain_attributes(resource_of(host, stats)))
        for resource_profiles in data.resource_profiles:
            resource_profiles.resource.CopyFrom(Resource.FromString(attributes))
        request = ExportProfilesServiceRequest(
            resource_profiles=data.resource_profiles, dictionary=data.dictionary
        )
        return bytes(request.SerializeToString())
