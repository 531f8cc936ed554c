"""Writes OTLP profiles: opentelemetry.proto.profiles.v1development.ProfilesData, as protobuf.

The layout is the one of opentelemetry-proto 1.45; it is still in development and has changed
before. A profile has one type of samples, so each event is a profile of its own: its
`period_type` is the event and `period` its count. Attributes of a sample tell where it was taken
(`xen.domain.name`, `xen.sample.mode`); those of a location tell the same of each frame, and its
`profile.frame.type`, for which there is no word for a hypervisor: `kernel` is used. Attributes of
a profile tell how many samples the sessions have lost, of all events: `xenprof.lost_samples`, and
`xenprof.lost_samples.REASON` for each reason.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.profiles.v1development.profiles_pb2 import (
    Function,
    KeyValueAndUnit,
    Line,
    Link,
    Location,
    Mapping,
    Profile,
    ProfilesData,
    ProfilesDictionary,
    ResourceProfiles,
    Sample,
    ScopeProfiles,
    Stack,
    ValueType,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from xenprof.profile.spelling import spelled_profile
from xenprof.profile.stacks import Frame, Layer, StackProfile
from xenprof.report.formats.request import Request
from xenprof.version import version

_ID_BYTES = 16


class _Tables:
    """The dictionary while it grows. Entry 0 of every table means that there is none."""

    def __init__(self) -> None:
        self.strings = {"": 0}
        self.attributes: dict[tuple[str, str | int], int] = {}
        self.mappings: dict[tuple[str, str], int] = {}
        self.functions: dict[tuple[str, str], int] = {}
        self.stacks: dict[tuple[int, ...], int] = {(): 0}

    def string(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))

    def attribute(self, key: str, value: str | int) -> int:
        self.string(key)
        return self.attributes.setdefault((key, value), len(self.attributes) + 1)

    def dictionary(self, frames: Sequence[Frame]) -> ProfilesDictionary:
        """Return the dictionary with all locations; nothing may be added later."""
        locations = [self._location(frame) for frame in frames]
        mappings = [
            Mapping(
                filename_strindex=self.string(image),
                attribute_indices=[self.attribute("xen.domain.name", domain)],
            )
            for image, domain in self.mappings
        ]
        functions = [
            Function(
                name_strindex=self.string(name),
                system_name_strindex=self.string(name),
                filename_strindex=self.string(file),
            )
            for name, file in self.functions
        ]
        attributes = [
            KeyValueAndUnit(key_strindex=self.string(key), value=_value(value))
            for key, value in self.attributes
        ]
        return ProfilesDictionary(
            mapping_table=[Mapping(), *mappings],
            location_table=[Location(), *locations],
            function_table=[Function(), *functions],
            link_table=[Link()],
            attribute_table=[KeyValueAndUnit(), *attributes],
            stack_table=[Stack(location_indices=list(stack)) for stack in self.stacks],
            string_table=list(self.strings),
        )

    def _location(self, frame: Frame) -> Location:
        mapping = self.mappings.setdefault((frame.image, frame.domain), len(self.mappings) + 1)
        name = frame.symbol or f"[{frame.image}]"
        function = self.functions.setdefault(
            (name, frame.file or frame.image), len(self.functions) + 1
        )
        kind = "native" if frame.layer is Layer.USER else "kernel"
        return Location(
            mapping_index=mapping,
            lines=[Line(function_index=function, line=frame.line)],
            attribute_indices=[
                self.attribute("profile.frame.type", kind),
                self.attribute("xen.domain.name", frame.domain),
                self.attribute("xen.sample.mode", str(frame.layer)),
            ],
        )


def render(request: Request) -> Iterable[bytes]:
    """Return the message."""
    return [message(request.profile).SerializeToString(deterministic=True)]


def message(profile: StackProfile) -> ProfilesData:
    """Return a profile as the message."""
    profile = spelled_profile(profile)
    tables = _Tables()
    profiles = [_profile(profile, column, tables) for column in range(len(profile.types))]
    resource = {"service.name": "xenprof", "host.name": profile.host}
    return ProfilesData(
        resource_profiles=[
            ResourceProfiles(
                resource=Resource(
                    attributes=[
                        KeyValue(key=key, value=AnyValue(string_value=value))
                        for key, value in resource.items()
                        if value
                    ]
                ),
                scope_profiles=[
                    ScopeProfiles(
                        scope=InstrumentationScope(name="xenprof", version=version()),
                        profiles=profiles,
                    )
                ],
            )
        ],
        dictionary=tables.dictionary(profile.frames),
    )


def _profile(profile: StackProfile, column: int, tables: _Tables) -> Profile:
    kind = profile.types[column]
    samples = []
    stacks, frames = tables.stacks, profile.frames
    for stack, count in zip(profile.stacks, profile.values[:, column].tolist(), strict=True):
        if not count:
            continue
        places = tuple([step + 1 for step in reversed(stack)])
        index = stacks.setdefault(places, len(stacks))
        attributes = _attributes(frames[stack[-1]], tables) if stack else ()
        samples.append(Sample(stack_index=index, attribute_indices=attributes, values=(count,)))
    made = Profile(
        sample_type=_value_type("samples", tables),
        samples=samples,
        time_unix_nano=profile.start_unix_ns or 0,
        duration_nano=profile.duration_ns or 0,
        period_type=_value_type(kind.event, tables),
        period=kind.period,
        attribute_indices=_lost(profile, tables),
    )
    identity = blake2b(made.SerializeToString(deterministic=True), digest_size=_ID_BYTES)
    made.profile_id = identity.digest()
    return made


def _lost(profile: StackProfile, tables: _Tables) -> list[int]:
    total = sum(profile.lost.values())
    if not total:
        return []
    reasons = {f".{reason}": count for reason, count in sorted(profile.lost.items()) if count}
    return [
        tables.attribute(f"xenprof.lost_samples{reason}", count)
        for reason, count in {"": total, **reasons}.items()
    ]


def _value(value: str | int) -> AnyValue:
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)


def _value_type(name: str, tables: _Tables) -> ValueType:
    return ValueType(type_strindex=tables.string(name), unit_strindex=tables.string("count"))


def _attributes(frame: Frame, tables: _Tables) -> tuple[int, int]:
    return (
        tables.attribute("xen.domain.name", frame.domain),
        tables.attribute("xen.sample.mode", str(frame.layer)),
    )
