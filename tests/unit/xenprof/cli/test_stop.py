from pathlib import Path

import pytest
from click.testing import CliRunner

from xenprof.cli import stop
from xenprof.errors import XenprofError
from xenprof.service.home_lock import HomeLock


class EndingClient:
    """A client whose service ends at once, with these last words."""

    last_words = ""

    def __init__(self, home: Path) -> None:
        self._lock = HomeLock(home)
        self._lock.note_url("http://127.0.0.1:1/", "/metrics")

    def do(self, request: object) -> None:
        self._lock.release(self.last_words)


def error_of(home: Path) -> str:
    found = CliRunner().invoke(stop.command, ["--state-dir", str(home)], standalone_mode=False)
    assert isinstance(found.exception, XenprofError | None)
    return str(found.exception or "")


@pytest.mark.parametrize(
    ("last_words", "error"),
    [("", ""), ("h: 7 samples are lost", "the service has ended; h: 7 samples are lost")],
)
def test_what_a_service_could_not_write_at_its_end_is_told(
    tmp_path, monkeypatch, last_words, error
):
    monkeypatch.setattr(EndingClient, "last_words", last_words)
    monkeypatch.setattr(stop, "Client", EndingClient)
    assert error == error_of(tmp_path)
