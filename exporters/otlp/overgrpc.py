"""Sends requests over gRPC. The bodies are bytes already, so that no generated stub is needed.

Source: opentelemetry.io/docs/specs/otlp, "OTLP/gRPC": which errors are worth another attempt.
"""

from typing import Any
from urllib.parse import urlsplit

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from exporters.otlp.sending import MOST_ANSWER_BYTES, Answer, one_line, pause, taken
from exporters.otlp.targets import Target
from xenprof.discretion import Secrets

METHODS = {
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "profiles": "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
}
LONGEST_RECONNECT_MS = 10_000  # a receiver that is back is found soon; judgement
_TEMPORARY = frozenset(
    {"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"}
)
_COMPRESSION = {
    "gzip": grpc.Compression.Gzip,
    "deflate": grpc.Compression.Deflate,
}
_DETAILS, _OLD_RETRY_INFO = "grpc-status-details-bin", "google.rpc.retryinfo-bin"


class GrpcSender:
    """Calls one method of one receiver."""

    def __init__(self, target: Target, signal: str, agent: str) -> None:
        """Connect with the first request."""
        options = [
            ("grpc.primary_user_agent", agent),
            ("grpc.max_receive_message_length", MOST_ANSWER_BYTES),
            ("grpc.max_reconnect_backoff_ms", LONGEST_RECONNECT_MS),
        ]
        address = urlsplit(target.url).netloc.rpartition("@")[2] or target.url
        compression = _COMPRESSION.get(target.compression, grpc.Compression.NoCompression)
        self._channel = (
            grpc.secure_channel(address, _credentials(target), options, compression)
            if target.is_secure
            else grpc.insecure_channel(address, options, compression)
        )
        self._secrets = target.secrets
        self._headers = tuple(target.headers.items())
        # Without serializers a method takes and returns bytes.
        self._export = self._channel.unary_unary(METHODS[signal])

    def send(self, body: bytes, timeout_seconds: float) -> Answer:
        """Send a request and wait for its answer."""
        try:
            data: bytes = self._export(body, timeout=timeout_seconds, metadata=self._headers)
        except grpc.RpcError as error:
            return _answer(error, self._secrets)
        except ValueError as error:  # the channel has been closed
            return Answer(str(error), is_temporary=True)
        return taken(data, self._secrets)

    def close(self) -> None:
        """Close the channel, which ends a request that is under way."""
        self._channel.close()


def _credentials(target: Target) -> Any:
    files = (target.certificate, target.client_key, target.client_certificate)
    return grpc.ssl_channel_credentials(*(file and file.read_bytes() for file in files))


def _answer(error: Any, secrets: Secrets) -> Answer:
    """Return the answer of an RpcError that is a Call, as those of a channel are."""
    code = error.code().name
    asked = _retry_delay(dict(error.trailing_metadata() or ()))
    is_temporary = code in _TEMPORARY or (code == "RESOURCE_EXHAUSTED" and asked is not None)
    said = one_line(secrets.hide(error.details() or ""))
    return Answer(f"{code}: {said}", is_temporary, pause(asked or 0.0))


def _retry_delay(metadata: dict[str, Any]) -> float | None:
    """Return the seconds of a RetryInfo; None without one."""
    info = RetryInfo()
    try:
        if _OLD_RETRY_INFO in metadata:
            info.ParseFromString(metadata[_OLD_RETRY_INFO])
            return _seconds(info)
        status = Status()
        status.ParseFromString(metadata.get(_DETAILS, b""))
    except DecodeError:
        return None
    for detail in status.details:
        if detail.Is(RetryInfo.DESCRIPTOR) and detail.Unpack(info):
            return _seconds(info)
    return None


def _seconds(info: Any) -> float:
    seconds: float = info.retry_delay.seconds + info.retry_delay.nanos / 1e9
    return seconds
