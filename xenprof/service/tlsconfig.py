"""Defines tls_server_config of a web config file.

Source: github.com/prometheus/exporter-toolkit, docs/web-configuration.md.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hypervisor.live.agent.web.ciphers import CIPHERS, TLS13_CIPHERS

Version = Literal["TLS10", "TLS11", "TLS12", "TLS13"]
ClientAuth = Literal[
    "",
    "NoClientCert",
    "RequestClientCert",
    "RequireClientCert",
    "RequireAnyClientCert",
    "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
]
_ASK_NOBODY = ("", "NoClientCert", "RequestClientCert")
_UNVERIFIED = ("RequireClientCert", "RequireAnyClientCert")  # one thing under two names
_FILES = ("cert_file", "key_file", "client_ca_file", "cert", "key", "client_ca")


class Strict(BaseModel):
    """A part of a web config file; other keys than its own are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TlsServerConfig(Strict):
    """Certificate and key, as files relative to the config file or as text, and what TLS allows.

    RequestClientCert asks for no certificate here: nothing would be made of it, and Python asks
    for none that it does not verify.
    """

    cert_file: str = ""
    key_file: str = ""
    client_ca_file: str = ""
    cert: str = ""
    key: str = Field(default="", repr=False)
    client_ca: str = ""
    client_auth_type: ClientAuth = ""
    client_allowed_sans: tuple[str, ...] = ()
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    cipher_suites: tuple[str, ...] = ()
    prefer_server_cipher_suites: bool = True
    curve_preferences: tuple[Literal["CurveP256", "CurveP384", "CurveP521", "X25519"], ...] = ()

    @field_validator("cipher_suites")
    @classmethod
    def _are_known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in CIPHERS and name not in TLS13_CIPHERS:
                raise ValueError(f"unknown or insecure cipher suite {name!r}")
        return names

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        for name in ("cert", "key", "client_ca"):
            if getattr(self, name) and getattr(self, f"{name}_file"):
                raise ValueError(f"{name} and {name}_file exclude each other")
        for name in ("cert", "key"):
            if not getattr(self, name) and not getattr(self, f"{name}_file"):
                raise ValueError(f"missing {name}_file")
        if self.client_auth_type in _UNVERIFIED:
            raise ValueError(
                f"client_auth_type {self.client_auth_type} is not supported: Python asks for no "
                "certificate that it does not verify; use RequireAndVerifyClientCert"
            )
        if self.has_client_ca and self.client_auth_type in ("", "NoClientCert"):
            raise ValueError("client_ca_file needs client_auth_type")
        if self.client_allowed_sans and self.client_auth_type in _ASK_NOBODY:
            raise ValueError("client_allowed_sans needs a client_auth_type that verifies")
        if self.min_version > self.max_version:
            raise ValueError(f"min_version {self.min_version} is above max_version")
        return self

    @property
    def has_client_ca(self) -> bool:
        """Return whether it says who signs the certificates of clients; else the system does."""
        return bool(self.client_ca_file or self.client_ca)

    def with_certificates_of(self, other: Self) -> Self:
        """Return these settings with the certificates and keys of others."""
        return self.model_copy(update={name: getattr(other, name) for name in _FILES})
