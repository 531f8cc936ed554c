from collections.abc import Callable

import pytest

from tests.support.talk_host import FakeClient
from tests.support.virsh_guests import virsh_client
from xenprof.cli.virsh import main


@pytest.fixture
def service() -> FakeClient:
    return virsh_client()


@pytest.fixture
def virsh(monkeypatch, capsys, service) -> Callable[..., tuple[int, str, str]]:
    """Run virsh in front of `service`; return exit code, stdout, stderr."""
    monkeypatch.delenv("VIRSH_DEFAULT_CONNECT_URI", raising=False)
    monkeypatch.setattr("xenprof.cli.virsh.program.Client", lambda home: service)

    def run(*words):
        code = main(words)
        return code, *capsys.readouterr()

    return run
