"""Declares what is to be watched, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dashboards.rules.files import RUNBOOKS
from dashboards.rules.rule import Pace
from xenprof.errors import XenprofError

FOLDER = "observe"
"""The folder below HOME with everything that observing needs and leaves."""


class CannotObserve(XenprofError):
    """Says what is missing, taken or wrong, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Access:
    """How Prometheus gets at a service with TLS or passwords; nothing where it has neither."""

    user: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str | None = None  # in its certificate, if that has not its address


@dataclass(frozen=True, slots=True)
class ObserveSettings:
    """What `up` was asked for. Both servers listen on the loopback interface alone."""

    home: Path
    prometheus_port: int
    alertmanager_port: int
    pace: Pace
    metrics_path: str
    access: Access
    web_config: Path | None = None  # of Prometheus; its users are Alertmanager's too
    webhook: str | None = None  # a URL that is told of alerts
    runbooks: str = RUNBOOKS  # where alerts lead
    typed: Mapping[str, str] = field(default_factory=dict)  # to be kept until `down`

    @property
    def folder(self) -> Path:
        """Return the folder for configurations, data, logs and process ids."""
        return self.home / FOLDER
