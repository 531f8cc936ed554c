"""Tables are read strictly by the types of their fields, and a fault names its place."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest

from hypervisor.model.scenario.faults import Fault
from hypervisor.model.scenario.table import Bounds, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle(Table):
    kind: Literal["circle"]
    radius: Annotated[float, Bounds(gt=0, le=10)] = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Table):
    kind: Literal["line"]
    dashes: Annotated[int, Bounds(ge=0, lt=100, multiple_of=2)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing(Table):
    title: str
    is_shown: bool = True
    paper: Literal["a4", "letter"] = "a4"
    shapes: tuple[Circle | Line, ...] = field(default=(), metadata={"key": "shape"})
    notes: list[dict[str, Any]] = field(default_factory=list)
    frame: Circle = Circle(kind="circle")


def told(**keys):
    with pytest.raises(Fault) as refused:
        Drawing.read({"title": "t", **keys})
    fault = refused.value
    return (*fault.location, fault.text)


def test_values_become_fields_and_missing_keys_take_their_defaults():
    expected = Drawing(title="t", shapes=(Line(kind="line", dashes=4), Circle(kind="circle")))
    given = {"title": "t", "shape": [{"kind": "line", "dashes": 4}, {"kind": "circle"}]}
    assert expected == Drawing.read(given)


def test_a_whole_number_is_read_as_a_number():
    radius = Drawing.read({"title": "t", "frame": {"kind": "circle", "radius": 3}}).frame.radius
    assert (3.0, float) == (radius, type(radius))


def test_a_table_that_has_been_read_is_taken_as_it_is():
    line = Line(kind="line", dashes=3)
    assert (line,) == Drawing.read({"title": "t", "shape": [line]}).shapes


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"title": 3}, ("title", "3 must be a valid string")),
        ({"is_shown": 1}, ("is_shown", "1 must be a valid boolean")),
        ({"paper": "lettre"}, ("paper", "'lettre' is not allowed; use 'a4' or 'letter' "
                                    "(did you mean 'letter'?)")),
        ({"notes": ["x"]}, ("notes", 0, "'x' must be a valid dictionary")),
        ({"notes": {}}, ("notes", "must be a valid list")),
        ({"frame": 1}, ("frame", "1 must be a valid dictionary or instance of Circle")),
        ({"frame": {"kind": "circle", "radius": True}},
         ("frame", "radius", "True must be a valid number")),
        ({"frame": {"kind": "circle", "radius": float("nan")}},
         ("frame", "radius", "nan must be a finite number")),
        ({"frame": {"kind": "circle", "radius": 0}},
         ("frame", "radius", "0 must be greater than 0")),
        ({"frame": {"kind": "circle", "radius": 11}},
         ("frame", "radius", "11 must be less than or equal to 10")),
        ({"shape": [{}]}, ("shape", 0, "kind", "missing")),
        ({"shape": [{"kind": "arc"}]},
         ("shape", 0, "kind", "'arc' is not allowed; use 'circle', 'line'")),
        ({"shape": [7]},
         ("shape", 0, "7 must be a valid dictionary or object to extract fields from")),
        ({"shape": [{"kind": "line", "dashes": 1.0}]},
         ("shape", 0, "dashes", "1.0 must be a valid integer")),
        ({"shape": [{"kind": "line", "dashes": 3}]},
         ("shape", 0, "dashes", "3 must be a multiple of 2")),
        ({"shape": [{"kind": "line", "dashes": 100}]},
         ("shape", 0, "dashes", "100 must be less than 100")),
        ({"shape": [{"kind": "line", "dashes": -2}]},
         ("shape", 0, "dashes", "-2 must be greater than or equal to 0")),
        ({"shape": [{"kind": "line", "dash": 2}]},
         ("shape", 0, "unknown key 'dash' (did you mean 'dashes'?); allowed: kind, dashes")),
    ],
)  # fmt: skip
def test_a_fault_says_where_and_what(keys, expected):
    assert expected == told(**keys)
