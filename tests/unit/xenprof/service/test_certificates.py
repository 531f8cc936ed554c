"""Certificates that are renewed while a listener is open."""

import os
import ssl
from pathlib import Path

import pytest

from tests.support.certificates import make_certificate, shown
from xenprof.service.certificates import Certificates
from xenprof.service.own_home import CannotServe
from xenprof.service.webconfig import WebConfigFile

TLS = "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_certificate(tmp_path, "DNS:old")
    (tmp_path / "web.yml").write_text(TLS)
    return tmp_path


def certificates(folder: Path) -> Certificates:
    config = WebConfigFile(folder / "web.yml")
    tls = config.current().tls_server_config
    assert tls is not None
    return Certificates(config, tls)


def copy(source: Path, folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes((source / name).read_bytes())


def test_a_renewed_certificate_is_shown_to_the_next_who_connects(folder, tmp_path_factory):
    kept = certificates(folder)
    new = make_certificate(tmp_path_factory.mktemp("new"), "DNS:new")
    before = shown(kept.context())
    copy(new, folder, "cert.pem", "key.pem")

    assert ("old", "new") == (before, shown(kept.context()))


def test_half_a_renewal_changes_nothing_and_is_logged_once(folder, tmp_path_factory, caplog):
    kept = certificates(folder)
    new = make_certificate(tmp_path_factory.mktemp("new"), "DNS:new")
    copy(new, folder, "cert.pem")

    assert (["old", "old"], 1) == (
        [shown(kept.context()) for _ in range(2)],
        len([one for one in caplog.messages if "stay in use" in one]),
    )


def test_a_renewal_that_is_completed_later_is_taken_over(folder, tmp_path_factory):
    kept = certificates(folder)
    new = make_certificate(tmp_path_factory.mktemp("new"), "DNS:new")
    copy(new, folder, "cert.pem")
    kept.context()
    copy(new, folder, "key.pem")

    assert "new" == shown(kept.context())


def test_a_file_that_is_gone_changes_nothing(folder):
    kept = certificates(folder)
    (folder / "cert.pem").unlink()

    assert "old" == shown(kept.context())


def test_a_key_that_becomes_a_pipe_is_not_waited_for(folder):
    kept = certificates(folder)
    (folder / "key.pem").unlink()
    os.mkfifo(folder / "key.pem")

    assert "old" == shown(kept.context())


def test_other_files_are_taken_over_when_the_configuration_names_them(folder):
    kept = certificates(folder)
    make_certificate(folder / "new", "DNS:new")
    (folder / "web.yml").write_text(TLS.replace("cert.pem", "new/cert.pem").replace(
        "key.pem", "new/key.pem"))  # fmt: skip

    assert "new" == shown(kept.context())


def test_certificate_and_key_may_stand_in_the_configuration(folder):
    texts = {name: (folder / f"{name}.pem").read_text() for name in ("cert", "key")}
    lines = [f"  {name}: {text!r}" for name, text in texts.items()]
    (folder / "web.yml").write_text(
        "tls_server_config:\n" + "\n".join(lines).replace("'", '"') + "\n"
    )

    assert "old" == shown(certificates(folder).context())


def test_an_encrypted_key_is_refused_and_no_password_asked_for(folder):
    (folder / "key.pem").write_text(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
    )

    with pytest.raises(CannotServe, match="tls_server_config"):
        certificates(folder)


def test_what_clients_must_show_does_not_change_without_a_restart(folder):
    kept = certificates(folder)
    (folder / "web.yml").write_text(
        "tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_ca_file: cert.pem, "
        "client_auth_type: RequireAndVerifyClientCert}"
    )

    assert ssl.CERT_NONE == kept.context().verify_mode
