from dataclasses import FrozenInstanceError, dataclass, field

import pytest

from hypervisor.drafts import draft_of, finished


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    count: int = 7
    parts: dict[str, int] = field(default_factory=dict)


Draft = draft_of(Row)


def test_a_finished_draft_is_the_record():
    made = finished(Draft("a", count=8), Row)
    assert (type(made), made, hash(made.name)) == (Row, Row("a", 8), hash("a"))


def test_fields_that_are_not_given_have_the_defaults_of_the_record():
    first, second = (finished(Draft("a"), Row) for _ in range(2))
    assert first == Row("a")
    assert first.parts is not second.parts


def test_a_finished_draft_is_frozen():
    made = finished(Draft("a"), Row)
    with pytest.raises(FrozenInstanceError):
        made.count = 9  # type: ignore[misc]


def test_a_draft_must_be_complete():
    with pytest.raises(TypeError, match="name"):
        Draft()  # type: ignore[call-arg]
