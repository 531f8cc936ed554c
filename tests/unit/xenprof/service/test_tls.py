"""The TLS that a web configuration asks for, shaken hands with in memory."""

import ssl
from pathlib import Path

import pytest

from hypervisor.live.agent.web.ciphers import CIPHERS, CURVES, TLS13_CIPHERS
from tests.support.certificates import make_certificate, shaken
from xenprof.service.tls import tls_context
from xenprof.service.tlsconfig import TlsServerConfig

VERIFY = {"client_ca_file": "cert.pem", "client_auth_type": "RequireAndVerifyClientCert"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return make_certificate(
        tmp_path_factory.mktemp("tls"), "DNS:localhost,IP:::1,email:a@b.example"
    )


def server(folder: Path, **settings) -> ssl.SSLContext:
    config = TlsServerConfig(cert_file="cert.pem", key_file="key.pem", **settings)
    return tls_context(config, folder)


def client(folder: Path | None = None, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """Return a client that trusts anybody; with `folder` it shows the certificate there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if folder is not None:
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "TLSv1.3"),
        ({"min_version": "TLS12", "max_version": "TLS13"}, "TLSv1.3"),
        ({"max_version": "TLS12"}, "TLSv1.2"),
        ({"min_version": "TLS10", "max_version": "TLS12"}, "TLSv1.2"),
    ],
)
def test_versions_are_within_bounds(folder, settings, expected):
    assert expected == shaken(server(folder, **settings), client())[0]


@pytest.mark.parametrize(
    "settings", [{"min_version": "TLS13"}, {"cipher_suites": TLS13_CIPHERS[:1]}]
)
def test_an_older_version_is_refused(folder, settings):
    with pytest.raises(ssl.SSLError):
        shaken(server(folder, **settings), client(version=ssl.TLSVersion.TLSv1_2))


@pytest.mark.parametrize("prefers", [True, False])
def test_ciphers_are_those_listed(folder, prefers):
    names = ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256")
    made = server(folder, cipher_suites=names, prefer_server_cipher_suites=prefers)

    assert (
        "ECDHE-ECDSA-AES128-GCM-SHA256" == shaken(made, client(version=ssl.TLSVersion.TLSv1_2))[1]
    )


@pytest.mark.parametrize("name", CIPHERS)
def test_openssl_knows_every_cipher(name):
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(CIPHERS[name])


@pytest.mark.parametrize("name", CURVES)
def test_every_curve_can_be_used(folder, name):
    assert "TLSv1.3" == shaken(server(folder, curve_preferences=(name,)), client())[0]


def test_of_several_curves_the_first_is_used_and_the_log_says_so(folder, caplog):
    made = server(folder, curve_preferences=("CurveP256", "X25519"))
    other = client()
    other.set_ecdh_curve("X25519")

    assert [
        "curve_preferences: Python sets one curve, so of CurveP256, X25519 only CurveP256 is used"
    ] == caplog.messages
    with pytest.raises(ssl.SSLError):
        shaken(made, other)


@pytest.mark.parametrize("allowed", ["localhost", "::1", "0:0:0:0:0:0:0:1", "a@b.example"])
def test_a_client_with_an_allowed_name_comes_in(folder, allowed):
    made = server(folder, **VERIFY, client_allowed_sans=("other", allowed))

    assert "TLSv1.3" == shaken(made, client(folder))[0]


@pytest.mark.parametrize("allowed", ["other", "test", "local", "LOCALHOST", "127.0.0.1"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_with_other_names_is_turned_away(folder, allowed, version):
    made = server(folder, **VERIFY, client_allowed_sans=(allowed,))

    with pytest.raises(ssl.SSLCertVerificationError, match="client_allowed_sans"):
        shaken(made, client(folder, version))


@pytest.mark.parametrize(
    ("kind", "shows", "comes_in"),
    [
        ("RequireAndVerifyClientCert", False, False),
        ("RequireAndVerifyClientCert", True, True),
        ("VerifyClientCertIfGiven", False, True),
        ("VerifyClientCertIfGiven", True, True),
    ],
)
def test_certificates_are_asked_for_as_configured(folder, kind, shows, comes_in):
    made = server(
        folder, client_ca_file="cert.pem", client_auth_type=kind, client_allowed_sans=("localhost",)
    )
    try:
        shaken(made, client(folder if shows else None))
        came_in = True
    except ssl.SSLError:
        came_in = False

    assert comes_in == came_in


def test_a_certificate_of_somebody_else_is_turned_away_even_if_none_is_required(folder, tmp_path):
    other = make_certificate(tmp_path / "other")
    made = server(folder, client_ca_file="cert.pem", client_auth_type="VerifyClientCertIfGiven")

    with pytest.raises(ssl.SSLError):
        shaken(made, client(other))
