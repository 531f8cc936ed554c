from collections.abc import Callable

import pytest

from tests.support.talk_host import FakeClient
from xenprof.cli.xm import main


@pytest.fixture
def xm(monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """Run xm in front of a fake service; return exit code, stdout, stderr."""

    def run(*words, client: FakeClient | None = None, **answers):
        service = client or FakeClient()
        service.hosts = answers.pop("hosts", service.hosts)
        service.answers |= {f"/api/v1/{path}": answer for path, answer in answers.items()}
        monkeypatch.setattr("xenprof.cli.xm.program.Client", lambda home: service)
        code = main(words)
        return code, *capsys.readouterr()

    return run
