"""Makes the requests for a Pyroscope server.

`POST /ingest?name=...&from=...&until=...&format=pprof`, a multipart form with the
field `profile` (gzipped pprof) and `sample_type_config` (JSON).
Source: grafana.com/docs/pyroscope, "Server HTTP API"; the shape is that of its Go client.
"""

import gzip
import json
from hashlib import blake2b
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from xenprof.history.push import Message
from xenprof.profile.stacks import StackProfile
from xenprof.report.formats import pprof

_INGEST = "/ingest"
_NAME = "xenprof"


class Pyroscope:
    """A server with Pyroscope's interface."""

    kind = "pyroscope"

    def __init__(self, url: str) -> None:
        """`/ingest` is added to the path unless it is there; a `name` in the query is kept."""
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        self.url = url
        self._parts = parts._replace(path=path if path.endswith(_INGEST) else path + _INGEST)
        self._given = dict(parse_qsl(parts.query))

    def message(self, profile: StackProfile) -> Message:
        """Return the request that carries a profile."""
        start_ns, duration_ns = profile.start_unix_ns or 0, profile.duration_ns or 0
        query = {
            "name": f"{_NAME}{{host={_label(profile.host)}}}" if profile.host else _NAME,
            "spyName": _NAME,
            **self._given,
            "from": str(start_ns // 10**9),
            "until": str(-(-(start_ns + duration_ns) // 10**9)),
            "format": "pprof",
        }
        body = gzip.compress(pprof.encode(profile), 6, mtime=0)
        config = json.dumps(_sample_types(profile)).encode()
        boundary = blake2b(body + config, digest_size=16).hexdigest()
        form = b"".join(
            [
                _part(boundary, "profile", "profile.pprof", "application/octet-stream", body),
                _part(boundary, "sample_type_config", "sample_type_config.json",
                      "application/json", config),
                f"--{boundary}--\r\n".encode(),
            ]
        )  # fmt: skip
        url = urlunsplit(self._parts._replace(query=urlencode(query)))
        return Message(url, form, f"multipart/form-data; boundary={boundary}")


def _sample_types(profile: StackProfile) -> dict[str, dict[str, object]]:
    """Return the configuration by which Pyroscope shows each kind of value."""
    return {
        name: {
            "units": "samples" if name != kind.event else "events",
            "display-name": name,
            "aggregation": "sum",
            "cumulative": False,
            "sampled": name != kind.event,
        }
        for kind in profile.types
        for name in (f"{kind.event}_sample", kind.event)
    }


def _label(text: str) -> str:
    """Return a label's value without the characters that would end it."""
    return "".join("_" if char in '{}=,"' or char.isspace() else char for char in text)


def _part(boundary: str, name: str, file: str, kind: str, data: bytes) -> bytes:
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return head.encode() + data + b"\r\n"
