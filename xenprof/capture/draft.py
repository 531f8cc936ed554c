"""Holds a scenario while it is made, and writes it as TOML."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Value = str | int | float | bool | tuple[str, ...]
Settings = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the model cannot express, or that is unknown of the host."""

    about: str
    text: str

    def __str__(self) -> str:
        """Return the note as a line."""
        return f"{self.about}: {self.text}"


@dataclass(frozen=True, slots=True)
class Owner:
    """A domain: its table, and the work of its devices."""

    settings: Settings
    works: tuple[Settings, ...] = ()
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A scenario without the work of processors."""

    host: Settings
    domain0: Owner
    guests: tuple[Owner, ...]

    @property
    def owners(self) -> tuple[Owner, ...]:
        """Return all domains in the order of the ids that the model will give them."""
        return (self.domain0, *self.guests)


def toml(head: Iterable[str], draft: Draft, works: Mapping[int, tuple[Settings, ...]]) -> str:
    """Return the scenario as text. `works` are the work of processors by the model's domid."""
    lines = [*(f"# {line}".rstrip() for line in head), "", "[host]", *_pairs(draft.host)]
    for domid, owner in enumerate(draft.owners):
        table = "[[domain]]" if domid else "[domain0]"
        lines += ["", *(f"# {line}" for line in owner.comments), table, *_pairs(owner.settings)]
        for work in (*owner.works, *works.get(domid, ())):
            workload = "[[domain.workload]]" if domid else "[[domain0.workload]]"
            lines += ["", f"  {workload}", *(f"  {line}" for line in _pairs(work))]
    return "\n".join(lines) + "\n"


def _pairs(settings: Settings) -> list[str]:
    return [f"{key} = {toml_value(value)}" for key, value in settings.items()]


def toml_value(value: object) -> str:
    """Return a value as TOML has it: a truth, a number, a text, a list or a table on a line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # TOML has JSON's escapes, but none for halves of characters.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {toml_value(one)}' for key, one in value.items())} }}"
    return str(value)
