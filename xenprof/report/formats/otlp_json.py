"""Writes OTLP profiles as JSON: field names in lowerCamelCase, ids in hexadecimal."""

import json
from collections.abc import Iterable

from google.protobuf.json_format import MessageToDict

from xenprof.report.formats.otlp import message
from xenprof.report.formats.request import Request


def render(request: Request) -> Iterable[bytes]:
    """Return the object."""
    made = message(request.profile)
    data = MessageToDict(made)
    for resource, resource_data in zip(
        made.resource_profiles, data.get("resourceProfiles", ()), strict=True
    ):
        for scope, scope_data in zip(
            resource.scope_profiles, resource_data.get("scopeProfiles", ()), strict=True
        ):
            profiles = scope_data.get("profiles", ())
            for profile, profile_data in zip(scope.profiles, profiles, strict=True):
                profile_data["profileId"] = profile.profile_id.hex()
    return [json.dumps(data, separators=(",", ":")).encode() + b"\n"]
