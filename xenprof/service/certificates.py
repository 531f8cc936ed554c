"""Keeps the certificates of a TLS listener as new as the files that they are read from."""

import logging
import ssl

from hypervisor.wholetext import read_regular
from xenprof.service.own_home import CannotServe
from xenprof.service.tls import tls_context
from xenprof.service.tlsconfig import TlsServerConfig
from xenprof.service.webconfig import WebConfigFile

log = logging.getLogger(__name__)


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
            self._seen: TlsServerConfig | str = self._look()
            self._context = tls_context(self._seen, config.path.parent)
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            raise CannotServe(f"{config.path}: tls_server_config: {_told(error)}") from None

    def context(self) -> ssl.SSLContext:
        """Return the context for a connection that begins now.

        Why a renewal is not taken over is logged once for each change.
        """
        tls = self._config.current().tls_server_config
        if tls is not None:
            self._tls = tls
        try:
            seen: TlsServerConfig | str = self._look()
        except (OSError, ValueError) as error:
            seen = _told(error)
        if seen != self._seen:
            self._seen = seen
            self._renew(seen)
        return self._context

    def _renew(self, seen: TlsServerConfig | str) -> None:
        told = seen if isinstance(seen, str) else ""
        if not isinstance(seen, str):
            try:
                self._context = tls_context(seen, self._config.path.parent)
            except (OSError, ValueError) as error:
                told = _told(error)
        if told:
            log.warning(
                "%s: tls_server_config: %s; the certificates read before stay in use",
                self._config.path,
                told,
            )
        else:
            log.info("%s: the certificates have been renewed", self._config.path)

    def _look(self) -> TlsServerConfig:
        """Return the settings with what is in their files. Raises: OSError, ValueError."""
        folder = self._config.path.parent
        names = ("cert", "key", "client_ca")
        files = {name: getattr(self._tls, f"{name}_file") for name in names}
        read = {
            name: read_regular(folder / file).decode(errors="surrogateescape")
            for name, file in files.items()
            if file
        }
        return self._tls.model_copy(update={**read, **{f"{name}_file": "" for name in read}})


def _told(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)
