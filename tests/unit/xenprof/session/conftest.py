import pytest

from tests.support.fake_host import (
    FakeHost,
)
from xenprof.session.sessions import Sessions


@pytest.fixture
def host():
    return FakeHost("Domain-0", "web", "db", "win", hvm=["win"])


@pytest.fixture
def sessions(host, tmp_path):
    return Sessions(host, tmp_path)


@pytest.fixture
def strict(host, tmp_path):
    return Sessions(host, tmp_path, strict=True)
