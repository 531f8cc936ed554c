"""The base of requests by POST: a record for each command, whose fields are the body.

The commands are in `host_requests`, `domain_requests`, `opcontrol` and `trace`.
A request that adds no fields to its base needs no decorator: it is a record because its base is
one, and it costs next to nothing to import.
"""

from dataclasses import dataclass, fields
from typing import ClassVar

from xenprof.wire.paths import domain_path, segment


@dataclass(frozen=True, slots=True)
class Request:
    """A request by POST."""

    command: ClassVar[str]
    """The name of the command for the service, its log and its messages."""
    route: ClassVar[str]
    """The path; `{}` stands for the object of the request, if that is not the host."""

    @classmethod
    def url(cls, about: str = "") -> str:
        """Return the path for an object, e.g. the name of a domain."""
        return cls.route.format(segment(about))

    def body(self) -> dict[str, object]:
        """Return the fields by name, without those that are None by default."""
        values = {field: getattr(self, field.name) for field in fields(self)}
        return {
            field.name: value
            for field, value in values.items()
            if value is not None or field.default is not None
        }


class DomainRequest(Request):
    """A request about one domain: each word of the command is a part of the path."""

    @classmethod
    def url(cls, about: str = "") -> str:
        """Return the path for a domain, by name or id."""
        return domain_path(about, *cls.command.split(" "))
