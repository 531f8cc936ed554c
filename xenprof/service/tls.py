"""Makes the TLS context of a listener from a web config file."""

import contextlib
import ipaddress
import logging
import os
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from hypervisor.live.agent.web.ciphers import CIPHERS, CURVES
from xenprof.service.tlsconfig import TlsServerConfig

log = logging.getLogger(__name__)

_VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
_CLIENTS = {
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


def tls_context(tls: TlsServerConfig, folder: Path) -> ssl.SSLContext:
    """Return the context; files are relative to `folder`.

    Raises: OSError, ValueError (a file cannot be used, OpenSSL offers none of the ciphers).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with (
        _file(tls.cert, folder / tls.cert_file) as cert,
        _file(tls.key, folder / tls.key_file) as key,
    ):
        # Without a password, OpenSSL asks for that of an encrypted key on the terminal.
        context.load_cert_chain(cert, key, password="")
    if tls.has_client_ca:
        with _file(tls.client_ca, folder / tls.client_ca_file) as authority:
            context.load_verify_locations(authority)
    elif tls.client_auth_type in _CLIENTS:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)  # as Go does
    context.verify_mode = _CLIENTS.get(tls.client_auth_type, ssl.CERT_NONE)
    if tls.client_allowed_sans:
        context.sslobject_class = _checking(frozenset(map(_plain, tls.client_allowed_sans)))
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # of TLS 1.0 and 1.1, if they are asked for
        context.minimum_version = _VERSIONS[tls.min_version]
        context.maximum_version = _VERSIONS[tls.max_version]
    _choose_ciphers(context, tls)
    return context


@contextlib.contextmanager
def _file(text: str, path: Path) -> Iterator[Path]:
    """Yield `path`, or where `text` can be read from; Python takes keys from files only."""
    if not text:
        yield path
        return
    with os.fdopen(os.memfd_create("xenprof-tls"), "w", errors="surrogateescape") as memory:
        memory.write(text)
        memory.flush()
        yield Path(f"/proc/self/fd/{memory.fileno()}")


def _choose_ciphers(context: ssl.SSLContext, tls: TlsServerConfig) -> None:
    if ciphers := [CIPHERS[name] for name in tls.cipher_suites if name in CIPHERS]:
        context.set_ciphers(":".join(ciphers))
    elif tls.cipher_suites:  # nothing for TLS 1.2 and before
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    if not tls.prefer_server_cipher_suites:
        context.options &= ~ssl.Options.OP_CIPHER_SERVER_PREFERENCE
    if tls.curve_preferences:
        first, *others = tls.curve_preferences
        context.set_ecdh_curve(CURVES[first])
        if others:
            log.warning(
                "curve_preferences: Python sets one curve, so of %s only %s is used",
                ", ".join(tls.curve_preferences),
                first,
            )


def _checking(allowed: frozenset[str]) -> type[ssl.SSLObject]:
    """Return a class of connections that end unless the certificate has one of these names."""

    class Checking(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            certificate = self.getpeercert()
            if certificate is None:  # none was given, and none is required
                return
            names = cast("tuple[tuple[str, str], ...]", certificate.get("subjectAltName", ()))
            found = {_plain(value) for _, value in names}
            if allowed.isdisjoint(found):
                raise ssl.SSLCertVerificationError(
                    1, "the client's certificate has none of client_allowed_sans"
                )

    return Checking


def _plain(name: str) -> str:
    """Return a name as it is compared: an address has one spelling."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name
