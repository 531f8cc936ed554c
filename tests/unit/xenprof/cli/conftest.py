import pytest

from tests.support.opcontrol_shell import Shell, write_images


@pytest.fixture
def opcontrol(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("XENPROF_DOMAIN", raising=False)
    write_images(tmp_path)
    return Shell(tmp_path, capsys)
