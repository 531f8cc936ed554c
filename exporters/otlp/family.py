"""Encodes one OpenTelemetry metric, and keeps what is the same in each push: names and labels."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from exporters.attempts import Attempts
from exporters.catalogue import OF_SERVICE
from exporters.labels import (
    BENEFICIARY,
    BENEFICIARY_ID,
    BENEFICIARY_UUID,
    DOMAIN,
    DOMID,
    UUID,
)
from exporters.metric import NS_PER_SECOND, Distribution, Kind, Label, Metric, Value
from exporters.otlp import wire
from exporters.otlp.exponential import SCALE, exponential
from exporters.otlp.ids import span_id
from exporters.otlp.settings import Shape
from exporters.otlp.starts import Starts
from hypervisor.telemetry import Exemplar, HostSnapshot, Life
from xenprof.report.formats.protobuf import piece
from xenprof.service.exporter import ServiceStats

Key = tuple[int, tuple[str, ...], Life | None, Life | None]
"""A series: the row, the values of its labels, whose life it belongs to, and for whom that worked.
"""
_DELTA_KINDS = {
    "cumulative": frozenset[Kind](),
    "delta": frozenset({Kind.COUNTER, Kind.HISTOGRAM}),
    "lowmemory": frozenset({Kind.HISTOGRAM}),  # counters are read, as those of a callback
}


class Moment(NamedTuple):
    """The times of a push: ours, the host's Unix time, and what leads from the host's to ours."""

    now_ns: int
    host_ns: int
    offset_ns: int


@dataclass(slots=True)
class Encoded:
    """Points of a metric, and with delta temporality the values that they count up to."""

    points: list[bytes] = field(default_factory=list)
    values: list[tuple[Key, Value]] = field(default_factory=list)

    def split(self, first: int) -> "tuple[Encoded, Encoded]":
        """Return the first points, and the others."""
        return (
            Encoded(self.points[:first], self.values[:first]),
            Encoded(self.points[first:], self.values[first:]),
        )


class Family:
    """The rows of the catalogue that are one OpenTelemetry metric (several for directions)."""

    def __init__(self, group: str, rows: tuple[Metric, ...], shape: Shape, starts: Starts) -> None:
        """`group` is the collector of the rows."""
        first = rows[0]
        self._group = group
        self._rows = rows
        self._kind = first.kind
        self._shape = shape
        self._starts = starts
        self._is_delta = first.kind in _DELTA_KINDS[shape.temporality]
        self._has_start = first.kind is not Kind.GAUGE
        self._is_of_service = not group or group in OF_SERVICE
        self._grows = first.kind in (Kind.COUNTER, Kind.HISTOGRAM)
        description = " ".join(row.help for row in rows)
        self._head = wire.text(1, first.otel) + wire.text(2, description) + wire.text(3, first.unit)
        self._heads: dict[Key, bytes] = {}
        self._taken: dict[Key, tuple[Value, int]] = {}  # and when
        self._boots = 0
        self._last: dict[Key, Value] = {}  # of a watched host
        self._begun: dict[Key, int] = {}  # of such, where a counter fell: since when it counts
        self._told_ns = 0  # exemplars until then, in the host's time, have been taken

    def encode(
        self, host: HostSnapshot, stats: ServiceStats, moment: Moment, attempts: Attempts
    ) -> Encoded:
        """Return the points of a snapshot; a row that fails has none, and `attempts` tell it."""
        if self._boots != self._starts.boots:
            self._begin_again()
        made = Encoded()
        failed: set[int] = set()
        for number, row in enumerate(self._rows):
            points, values = len(made.points), len(made.values)

            def act(metric: Metric, number: int = number) -> bool:
                self._encode_row(number, metric, host, stats, moment, made)
                return True

            if not attempts.attempt(self._group, row, act):
                del made.points[points:], made.values[values:]
                failed.add(number)
        self._forget_ended(made, failed)
        return made

    def metric(self, points: Iterable[bytes]) -> bytes:
        """Return the message Metric with these points."""
        temporality = wire.DELTA if self._is_delta else wire.CUMULATIVE
        if self._kind is Kind.GAUGE:
            return self._head + wire.gauge_data(points)
        if self._kind is not Kind.HISTOGRAM:
            is_monotonic = self._kind is Kind.COUNTER
            return self._head + wire.sum_data(points, temporality, is_monotonic=is_monotonic)
        if self._shape.is_exponential:
            return self._head + wire.exponential_data(points, temporality)
        return self._head + wire.histogram_data(points, temporality)

    def taken(self, encoded: Encoded, moment: Moment) -> None:
        """Note that the receiver has these points: the next push goes on from them."""
        self._told_ns = moment.host_ns
        for key, value in encoded.values:
            self._taken[key] = (value, moment.now_ns)

    def _encode_row(
        self, number: int, row: Metric, host: HostSnapshot, stats: ServiceStats, moment: Moment,
        made: Encoded,
    ) -> None:  # fmt: skip
        place, other = _place(row, DOMAIN), _place(row, BENEFICIARY)
        lives, heads, points = self._starts.by_name, self._heads, made.points
        is_watched = self._grows and self._starts.is_watched and not self._is_of_service
        now = wire.time(moment.now_ns)
        for labels, value in row.points(host, stats):
            life = None if place is None else lives.get(labels[place])
            beneficiary = None if other is None else lives.get(labels[other])
            key = (number, labels, life, beneficiary)
            if is_watched and not self._is_known(key, value, moment):
                continue
            head = heads.get(key)
            if head is None:
                head = heads[key] = self._point_head(row, key)
            if self._is_delta:
                made.values.append((key, value))
                start, value = self._delta(key, value)
                head += start
            if isinstance(value, Distribution):
                points.append(piece(1, head + now + self._distribution(row, value, moment)))
            else:
                points.append(head + now + wire.value(value))

    def _is_known(self, key: Key, value: Value, moment: Moment) -> bool:
        """Return whether it is known since when a watched host has counted this value.

        What it has counted before it was seen is in no delta. A counter that falls has begun anew
        after the last push.
        """
        if not self._is_delta:
            last = self._last.get(key)
            if last is not None and _has_fallen(value, last):
                self._begun[key] = self._starts.seen_ns
                self._heads.pop(key, None)
            self._last[key] = value
            return True
        if key in self._taken:
            return True
        is_new = self._starts.is_new(key[2])
        since_ns = max(self._starts.start_ns(key[2]), self._starts.seen_ns)
        self._taken[key] = (_zero(value), since_ns) if is_new else (value, moment.now_ns)
        return is_new

    def _begin_again(self) -> None:
        """Forget all series: the host has booted, or is another."""
        self._boots = self._starts.boots
        for one in (self._heads, self._taken, self._last, self._begun):
            one.clear()

    def _point_head(self, row: Metric, key: Key) -> bytes:
        """Return the beginning of a point: its attributes, and its start if that does not change.

        A domain that is created again under its name counts from 0: its id makes a new series.
        """
        _, labels, life, beneficiary = key
        attributes: dict[str, str | int] = {
            label.attribute: int(value) if label.is_number else value
            for label, value in zip(row.labels, labels, strict=True)
            if value  # an empty label is one that the host does not know
        }
        if row.attribute is not None:
            attributes[row.attribute[0]] = row.attribute[1]
        attributes |= _of_life(life, DOMID, UUID)
        attributes |= _of_life(beneficiary, BENEFICIARY_ID, BENEFICIARY_UUID)
        start = b"" if self._is_delta else self._start(key)
        if self._kind is not Kind.HISTOGRAM:
            head = wire.number_head(wire.attributes(7, attributes), has_start=self._has_start)
            return head + (start if self._has_start else b"")
        if self._shape.is_exponential:
            return wire.attributes(1, attributes) + start
        return wire.attributes(9, attributes) + wire.bounds(row.bounds) + start

    def _distribution(self, row: Metric, value: Distribution, moment: Moment) -> bytes:
        made = wire.counted(value.counts, value.sum)
        if self._shape.is_exponential:
            offset, counts = exponential(value.counts, row.bounds)
            return (
                made + wire.exponential(SCALE, offset, counts) + self._exemplars(11, value, moment)
            )
        return made + wire.buckets(value.counts) + self._exemplars(8, value, moment)

    def _exemplars(self, field: int, value: Distribution, moment: Moment) -> bytes:
        """Return the exemplars that the receiver does not have yet."""
        return b"".join(
            piece(field, _exemplar(one, moment.offset_ns))
            for one in value.exemplars
            if one is not None and one.unix_ns > self._told_ns and self._is_wanted(one)
        )

    def _is_wanted(self, exemplar: Exemplar) -> bool:
        wanted = self._shape.exemplars
        return wanted == "always_on" or (wanted == "trace_based" and exemplar.trace_id is not None)

    def _delta(self, key: Key, value: Value) -> tuple[bytes, Value]:
        """Return the field of the start, and what has come since the last push that was taken."""
        before, since_ns = self._taken.get(key, (None, 0))
        if before is None:
            return self._start(key), value
        return wire.start(since_ns), _difference(value, before)

    def _start(self, key: Key) -> bytes:
        """Return the field of the time since when a series counts."""
        _, _, life, beneficiary = key
        own = self._is_of_service
        start_ns = self._starts.start_ns(life, of_service=own)
        if beneficiary is not None:
            start_ns = max(start_ns, self._starts.start_ns(beneficiary))
        return wire.start(max(start_ns, self._begun.get(key, 0)))

    def _forget_ended(self, made: Encoded, failed: Set[int]) -> None:
        """Forget series when most of them are gone.

        What the receiver has of a series that may come back is kept, or it would get that twice:
        of the rows that have just failed, and of domains that live.
        """
        if len(self._heads) > 2 * len(made.points):
            self._heads.clear()
        if len(self._taken) > 2 * len(made.values):
            present = {key for key, _ in made.values}
            self._taken = {
                key: taken
                for key, taken in self._taken.items()
                if key in present or key[0] in failed or self._lives(key)
            }
        if len(self._last) > 2 * len(made.points):
            self._last = {key: last for key, last in self._last.items() if self._lives(key)}
            self._begun = {key: at for key, at in self._begun.items() if key in self._last}

    def _lives(self, key: Key) -> bool:
        """Return whether a series is of a domain that lives, and its beneficiary does, if any."""
        _, _, life, beneficiary = key
        return self._starts.has(life) and (beneficiary is None or self._starts.has(beneficiary))


def _place(row: Metric, label: Label) -> int | None:
    return row.labels.index(label) if label in row.labels else None


def _of_life(life: Life | None, domid: Label, uuid: Label) -> Mapping[str, str | int]:
    """Return the attributes that tell a life of a domain from others under its name."""
    if life is None:
        return {}
    return {domid.attribute: life[0]} | ({uuid.attribute: life[1]} if life[1] else {})


def _difference(value: Value, before: Value) -> Value:
    """Return what a counter has grown by; one that has begun again, from 0."""
    if isinstance(value, Distribution):
        assert isinstance(before, Distribution)
        counts = tuple(now - then for now, then in zip(value.counts, before.counts, strict=True))
        if min(counts) < 0:
            return value
        return value._replace(counts=counts, sum=value.sum - before.sum)
    assert not isinstance(before, Distribution)
    return value - before if value >= before else value


def _has_fallen(value: Value, before: Value) -> bool:
    if isinstance(value, Distribution):
        assert isinstance(before, Distribution)
        return any(now < then for now, then in zip(value.counts, before.counts, strict=True))
    assert not isinstance(before, Distribution)
    return value < before


def _zero(value: Value) -> Value:
    if isinstance(value, Distribution):
        return value._replace(counts=(0,) * len(value.counts), sum=0)
    return 0


def _exemplar(exemplar: Exemplar, offset_ns: int) -> bytes:
    trace = exemplar.trace_id
    return wire.exemplar(
        exemplar.value_ns / NS_PER_SECOND,
        exemplar.unix_ns + offset_ns,
        bytes.fromhex(trace) if trace else b"",
        span_id(trace) if trace else b"",
    )
