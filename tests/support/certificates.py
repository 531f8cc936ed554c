"""Makes certificates for tests, and shakes hands over TLS in memory."""

import contextlib
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest


def make_certificate(folder: Path, names: str = "DNS:localhost,IP:127.0.0.1") -> Path:
    """Write cert.pem and key.pem, self-signed for this run only; return the folder."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder.mkdir(parents=True, exist_ok=True)
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
    command += f"-subj /CN=test -addext subjectAltName={names}"
    subprocess.run(
        [*command.split(), "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True,
        capture_output=True,
    )
    return folder


def shown(server: ssl.SSLContext) -> str:
    """Return the first name of the certificate that a server shows."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server)
    for one in (theirs, ours, theirs):
        with contextlib.suppress(ssl.SSLWantReadError):
            one.do_handshake()
    der = theirs.getpeercert(binary_form=True)
    assert der is not None
    command = ["openssl", "x509", "-inform", "der", "-noout", "-ext", "subjectAltName"]
    text = subprocess.run(command, input=der, check=True, capture_output=True).stdout.decode()
    return text.partition("DNS:")[2].split(",")[0].strip()


def shaken(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[str, str]:
    """Return version and cipher that both agree on. Raises: ssl.SSLError where they do not."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server)
    waiting = [theirs, ours]
    for _ in range(20):
        for one in list(waiting):
            try:
                one.do_handshake()
                waiting.remove(one)
            except ssl.SSLWantReadError:
                continue
    assert not waiting
    cipher = ours.cipher()
    assert cipher is not None
    return str(ours.version()), cipher[0]
