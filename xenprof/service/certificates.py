"""Keeps the certificates of a TLS listener as new as the files that they are read from."""

import logging
import ssl

from hypervisor.wholetext import read_whole
from xenprof.service.own_home import CannotServe
from xenprof.service.tls import tls_context
from xenprof.service.tlsconfig import TlsServerConfig
from xenprof.service.webconfig import WebConfigFile

log = logging.getLogger(__name__)

_Seen = tuple[TlsServerConfig, tuple[bytes, ...]]


class Certificates:
    """Makes the TLS context for each connection, a new one when a certificate was renewed.

    A renewal that is not complete, as between the writing of a certificate and that of its key,
    changes nothing: connections go on with what was read before.
    """

    def __init__(self, config: WebConfigFile, tls: TlsServerConfig) -> None:
        """Read the files of `tls`, the settings at the start. Raises: CannotServe."""
        self._config = config
        self._tls = tls
        try:
            self._seen: _Seen | str = self._look()
            self._context = tls_context(tls, config.path.parent)
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            raise CannotServe(f"{config.path}: tls_server_config: {error}") from None

    def context(self) -> ssl.SSLContext:
        """Return the context for a connection that begins now.

        Why a renewal is not taken over is logged once for each change.
        """
        tls = self._config.current().tls_server_config
        if tls is not None:
            self._tls = tls
        try:
            seen: _Seen | str = self._look()
        except OSError as error:
            seen = str(error)
        if seen != self._seen:
            self._seen = seen
            self._renew(seen)
        return self._context

    def _renew(self, seen: _Seen | str) -> None:
        try:
            if isinstance(seen, str):
                raise OSError(seen)
            self._context = tls_context(self._tls, self._config.path.parent)
            log.info("%s: the certificates have been renewed", self._config.path)
        except (OSError, ValueError) as error:
            told = "%s: tls_server_config: %s; the certificates read before stay in use"
            log.warning(told, self._config.path, error)

    def _look(self) -> _Seen:
        """Return the settings and what is in the files. Raises: OSError."""
        folder = self._config.path.parent
        names = (self._tls.cert_file, self._tls.key_file, self._tls.client_ca_file)
        return self._tls, tuple(read_whole(folder / name) for name in names if name)
