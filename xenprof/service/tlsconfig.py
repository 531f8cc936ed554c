"""Defines tls_server_config of a web config file, and what its words mean to OpenSSL.

Source: github.com/prometheus/exporter-toolkit, docs/web-configuration.md; crypto/tls of Go.
"""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

CIPHERS: Mapping[str, str] = {
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
}
"""OpenSSL's names of the suites that Go calls secure, up to TLS 1.2."""
TLS13_CIPHERS = (
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
)  # fmt: skip
"""Those of TLS 1.3: all are always offered, as Go does."""
CURVES: Mapping[str, str] = {
    "CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1",
    "X25519": "X25519",
}  # fmt: skip

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
