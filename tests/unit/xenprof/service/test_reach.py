"""Who can read a service is told by where it listens and whom it asks for a password."""

import socket
from pathlib import Path

import pytest

from tests.support.e2e.served import configuration
from xenprof.service.reach import Reach, reach
from xenprof.service.webconfig import WebConfigFile


def reached(host: str, web_config: WebConfigFile | None = None) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        return reach(listener, "http://h/", web_config).is_everybodys


@pytest.mark.parametrize(("host", "expected"), [("0.0.0.0", True), ("::", True), ("127.0.0.2", False), ("::1", False)])  # fmt: skip
def test_everybody_reads_what_does_not_listen_on_a_loopback_address(host: str, expected: bool):
    assert expected == reached(host)


@pytest.mark.parametrize(("text", "expected"), [(configuration(), False), ("{}\n", True)])
def test_a_web_configuration_with_users_keeps_strangers_out(
    tmp_path: Path, text: str, expected: bool
):
    (tmp_path / "web.yml").write_text(text)

    assert expected == reached("0.0.0.0", WebConfigFile(tmp_path / "web.yml"))


def test_who_is_guarded_is_not_warned():
    assert "" == Reach("http://h/", is_everybodys=False).warning
