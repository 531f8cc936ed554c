import pytest

from tests.support.hostile.trial import attack_service

REQUESTS = 300


@pytest.fixture
def faults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return attack_service(tmp_path / "home", seed=1, count=REQUESTS)


def test_hostile_requests_are_answered_without_an_internal_error(faults):
    assert faults == []
