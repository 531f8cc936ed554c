"""Makes the TLS context of a socket from a web config file."""

import ssl
import threading
import warnings
from pathlib import Path
from typing import Callable, List, Tuple, cast

from hypervisor.live.agent.process.privileges import without
from hypervisor.live.agent.web.ciphers import CIPHERS, CURVES, TLS13_CIPHERS
from hypervisor.live.agent.web.config.file import CLIENT_AUTHS, Tls, WebConfigError


def context(tls: Tls) -> ssl.SSLContext:
    """Return the context. Raises: WebConfigError."""
    try:
        return _context(tls)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        file = getattr(error, "filename", None)
        told = f"{file}: {error.strerror}" if isinstance(error, OSError) and file else str(error)
        raise WebConfigError(f"tls_server_config: {told}") from None


def check_renewal(tls: Tls) -> None:
    """Read the files as they are read again when they were renewed, without capabilities.

    Who starts as root could read the first ones of any user, and none later. Raises:
    WebConfigError.
    """
    try:
        without(lambda: _open_all(tls))
    except OSError as error:
        raise WebConfigError(
            f"tls_server_config: {error.filename}: {error.strerror} to root without capabilities, "
            "as which the agent reads it when it is renewed: let root, or a group of root's, own it"
        ) from None


class Certificates:
    """Makes the context for each connection, a new one when its files were renewed.

    A renewal that is not complete changes nothing: what was read before stays in use.
    """

    def __init__(self, tls: Tls, tell: Callable[[str], None]) -> None:
        """Read the files; `tell` logs a line. Raises: WebConfigError."""
        self._tls = tls
        self._tell = tell
        self._lock = threading.Lock()
        self._seen = self._look()
        self._context = context(tls)
        check_renewal(tls)

    def context(self) -> ssl.SSLContext:
        """Return the context for a connection that begins now."""
        with self._lock:
            seen = self._look()
            if seen != self._seen:
                self._seen = seen
                try:
                    self._context = context(self._tls)
                except WebConfigError as error:
                    self._tell(f"{error}; the certificates read before stay in use")
            return self._context

    def _look(self) -> Tuple[object, ...]:
        """Return what tells a file that was renewed from the one before."""
        seen: List[object] = []
        for file in _files(self._tls):
            try:
                found = Path(file).stat()
                seen.append((found.st_ino, found.st_mtime_ns, found.st_size))
            except OSError as error:
                seen.append(error.errno)
        return tuple(seen)


def _files(tls: Tls) -> Tuple[str, ...]:
    return (tls.cert_file, tls.key_file, tls.client_ca_file)


def _open_all(tls: Tls) -> None:
    """Open the files, as OpenSSL does not say which one it cannot open. Raises: OSError."""
    for file in filter(None, _files(tls)):
        with Path(file).open("rb"):
            pass


def has_name(connection: ssl.SSLSocket, tls: Tls) -> bool:
    """Return whether a client may go on by the names in its certificate, if it shows one."""
    if not tls.client_allowed_sans:
        return True
    certificate = connection.getpeercert()
    if not certificate:
        return tls.client_auth_type != "RequireAndVerifyClientCert"
    names = cast("Tuple[Tuple[str, str], ...]", certificate.get("subjectAltName", ()))
    return any(value in tls.client_allowed_sans for _, value in names)


def _context(tls: Tls) -> ssl.SSLContext:
    _open_all(tls)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Without a password, OpenSSL asks for that of an encrypted key on the terminal.
    made.load_cert_chain(tls.cert_file, tls.key_file, password="")
    if tls.client_ca_file:
        made.load_verify_locations(tls.client_ca_file)
        if CLIENT_AUTHS[tls.client_auth_type] and not made.cert_store_stats()["x509_ca"]:
            raise ValueError(f"{tls.client_ca_file} has no certificate of an authority")
    elif CLIENT_AUTHS[tls.client_auth_type]:
        made.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    if CLIENT_AUTHS[tls.client_auth_type]:
        is_needed = tls.client_auth_type == "RequireAndVerifyClientCert"
        made.verify_mode = ssl.CERT_REQUIRED if is_needed else ssl.CERT_OPTIONAL
    _choose_versions(made, tls)
    _choose_ciphers(made, tls)
    return made


def _choose_versions(made: ssl.SSLContext, tls: Tls) -> None:
    """Forbid the versions that are not wanted, in the one way that Python 3.6 has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.options |= ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1
        if tls.min_version == "TLS13":
            made.options |= ssl.OP_NO_TLSv1_2
        if tls.max_version == "TLS12":
            made.options |= getattr(ssl, "OP_NO_TLSv1_3", 0)


def _choose_ciphers(made: ssl.SSLContext, tls: Tls) -> None:
    for name in tls.cipher_suites:
        if name not in CIPHERS and name not in TLS13_CIPHERS:
            raise ValueError(f"unknown or insecure cipher suite {name!r}")
    ciphers = [CIPHERS[name] for name in tls.cipher_suites if name in CIPHERS]
    if ciphers:
        made.set_ciphers(":".join(ciphers))
    elif tls.cipher_suites:  # nothing for TLS 1.2
        _choose_versions(made, tls._replace(min_version="TLS13"))
    if tls.prefer_server_cipher_suites:
        made.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        made.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    for name in tls.curve_preferences:
        if name not in CURVES:
            raise ValueError(f"no curve {name!r}; there are {', '.join(CURVES)}")
    if tls.curve_preferences:  # Python sets one
        made.set_ecdh_curve(CURVES[tls.curve_preferences[0]])
