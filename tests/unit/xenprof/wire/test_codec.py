"""Records to JSON and back: all that programs and the service exchange."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypervisor import telemetry
from tests.support.model.hosts import burst, cpu, domain, make_host
from tests.support.snapshots import grumble
from tests.support.wire_records import ASKED, JSON, TOLD, values
from xenprof.wire.codec import Malformed, Missing, Unknown, decode, encode

SLOW = settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None)


@pytest.mark.parametrize("kind", TOLD)
@SLOW
@given(data=st.data())
def test_a_record_survives_the_trip(kind, data):
    record = data.draw(values(kind))
    assert decode(kind, json.loads(encode(record))) == record


@pytest.mark.parametrize("kind", ASKED)
@SLOW
@given(data=st.data())
def test_a_request_survives_the_trip(kind, data):
    request = data.draw(values(kind))
    assert decode(kind, json.loads(encode(request.body()))) == request


def test_a_list_may_hold_objects_and_none():
    waits = telemetry.Histogram((1, 2), 3, (None, telemetry.Exemplar(1, 2, "a")))
    assert decode(telemetry.Histogram, json.loads(encode(waits))) == waits


@pytest.mark.parametrize("host", [grumble(), grumble(0)])
def test_a_snapshot_survives_the_trip(host):
    assert decode(telemetry.HostSnapshot, json.loads(encode(host))) == host


def test_a_snapshot_of_the_model_survives_the_trip():
    host = make_host(domain("a", cpu()), domain("b", burst(3, 4)))
    host.advance(10**9)
    snapshot = host.telemetry.snapshot()

    assert decode(telemetry.HostSnapshot, json.loads(encode(snapshot))) == snapshot


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Part:
    size: int
    name: str = "part"


@dataclass(frozen=True, slots=True)
class Whole:
    number: int
    weight: float
    text: str | None
    colour: Colour
    part: Part | None
    parts: tuple[Part, ...] = ()
    sizes: tuple[int, ...] = ()
    pair: tuple[int, str] = (0, "")
    names: Mapping[str, bool] | None = None
    anything: object = None


GOOD = {"number": 1, "weight": 2.5, "text": None, "colour": "red", "part": {"size": 3}}
WHOLE = Whole(1, 2.5, None, Colour.RED, Part(3))


def test_what_is_missing_is_the_default_or_none_where_that_is_allowed():
    few = {"number": 1, "weight": 2.5, "colour": "red"}
    assert decode(Whole, few) == Whole(1, 2.5, None, Colour.RED, None)


def test_what_a_record_does_not_know_is_left_out():
    assert decode(Whole, GOOD | {"other": 1}) == WHOLE


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"other": 1}, "other"),
        ({"part": {"size": 3, "other": 1}}, "part.other"),
        ({"parts": [{"size": 1}, {"size": 2, "other": 1}]}, "parts[1].other"),
    ],
)
def test_what_a_record_does_not_know_is_refused_when_strict(wrong, place):
    with pytest.raises(Unknown) as caught:
        decode(Whole, GOOD | wrong, is_strict=True)

    assert caught.value.place == place


def test_what_stands_in_no_record_is_free_when_strict():
    free = {"names": {"x": True}, "anything": {"y": 1}}
    found = decode(Whole, GOOD | free, is_strict=True)

    assert (found.names, found.anything) == (free["names"], free["anything"])


def test_a_whole_number_is_a_number():
    assert type(decode(Whole, GOOD | {"weight": 2}).weight) is float


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"number": "1"}, "'number' must be a whole number, not '1'"),
        ({"number": True}, "'number' must be a whole number, not True"),
        ({"number": None}, "'number' must be a whole number, not None"),
        ({"number": 1.0}, "'number' must be a whole number, not 1.0"),
        ({"weight": "heavy"}, "'weight' must be a number, not 'heavy'"),
        ({"weight": 10**400}, "'weight' must be a number, not 1" + "0" * 33),
        ({"text": 5}, "'text' must be a text, not 5"),
        ({"text": ["a"]}, "'text' must be a text"),
        ({"colour": "green"}, "'colour' must be one of red, blue"),
        ({"part": 3}, "'part' must be an object, not 3"),
        ({"part": {}}, "'part.size' is missing"),
        ({"parts": {}}, "'parts' must be a list of objects"),
        ({"parts": [{"size": 1}, {"size": "2"}]}, "'parts[1].size' must be a whole number, not '2'"),
        ({"sizes": [1, "2"]}, "'sizes' must be a list of whole numbers"),
        ({"sizes": 1}, "'sizes' must be a list of whole numbers, not 1"),
        ({"pair": [1]}, "'pair' must be a list of 2 whole numbers"),
        ({"names": {"a": 1}}, "'names.a' must be true or false, not 1"),
        ({"names": []}, "'names' must be an object"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_named_with_its_place(wrong, message):
    with pytest.raises(Malformed) as caught:
        decode(Whole, GOOD | wrong)

    assert str(caught.value) == message


def test_a_field_that_is_missing_is_named():
    with pytest.raises(Missing, match=r"^'number' is missing$"):
        decode(Whole, {})


@pytest.mark.parametrize("value", [None, 5, [], "x"])
def test_what_is_no_object_is_no_record(value):
    with pytest.raises(Malformed, match=r"^it must be an object"):
        decode(Whole, value)


@SLOW
@given(value=JSON)
def test_whatever_comes_is_a_snapshot_or_malformed(value):
    with pytest.raises(Malformed):
        decode(telemetry.HostSnapshot, value)
