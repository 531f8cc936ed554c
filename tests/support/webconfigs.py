"""Holds web configuration files, and what the exporter toolkit of Prometheus says of each.

`cert.pem` and `key.pem` lie beside them. What is answered by the toolkit was recorded from
promtool 2.42, except for keys that are younger than it.
"""

from collections.abc import Mapping
from typing import NamedTuple

HASH = "$2y$04$PRcMgmQabBPu47fT2l0xtehTxaPbiGqQwCTI.Vjc.E6TwSTG8ghCm"
TLS = "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"
_HEADERS = "http_server_config:\n  headers:\n    "


class Written(NamedTuple):
    """A file. `ours` differs from the toolkit's answer only for the reason `because`."""

    text: str
    is_accepted: bool
    because: str = ""
    is_younger_than_promtool: bool = False

    @property
    def is_accepted_here(self) -> bool:
        """Return whether it is to be accepted by xenprof."""
        return self.is_accepted and not self.because


def _tls(lines: str) -> str:
    return f"{TLS}  {lines}\n"


_UNVERIFIED = "Python asks for no certificate that it does not verify"
_NO_VERSION = "nobody could connect"

FILES: Mapping[str, Written] = {
    "empty": Written("", is_accepted=True),
    "comment": Written("# nothing\n", is_accepted=True),
    "braces": Written("{}\n", is_accepted=True),
    "null tls": Written("tls_server_config:\n", is_accepted=True),
    "tls": Written(TLS, is_accepted=True),
    "tls without key": Written("tls_server_config:\n  cert_file: cert.pem\n", is_accepted=False),
    "tls without certificate": Written(
        "tls_server_config:\n  key_file: key.pem\n", is_accepted=False
    ),
    "tls with empty certificate": Written(
        'tls_server_config:\n  cert_file: ""\n  key_file: key.pem\n', is_accepted=False
    ),
    "missing file": Written(TLS.replace("cert.pem", "none.pem"), is_accepted=False),
    "swapped files": Written(
        "tls_server_config:\n  cert_file: key.pem\n  key_file: cert.pem\n", is_accepted=False
    ),
    "http2 off": Written("http_server_config:\n  http2: false\n", is_accepted=True),
    "http2 on": Written("http_server_config:\n  http2: true\n", is_accepted=True),
    "http2 yes": Written("http_server_config:\n  http2: yes\n", is_accepted=True),
    "http2 as text": Written('http_server_config:\n  http2: "false"\n', is_accepted=False),
    "users": Written(f"basic_auth_users:\n  a: {HASH}\n", is_accepted=True),
    "user without name": Written(f'basic_auth_users:\n  "": {HASH}\n', is_accepted=True),
    "users null": Written("basic_auth_users:\n", is_accepted=True),
    "users as list": Written("basic_auth_users: [a]\n", is_accepted=False),
    "plain password": Written("basic_auth_users:\n  a: secret\n", is_accepted=False),
    "empty hash": Written('basic_auth_users:\n  a: ""\n', is_accepted=False),
    "cost below 4": Written(
        f"basic_auth_users:\n  a: {HASH.replace('$04', '$03')}\n", is_accepted=False
    ),
    "hash cut short": Written(
        f"basic_auth_users:\n  a: {HASH[:-1]}\n", is_accepted=True, because="no password fits it"
    ),
    "frame deny": Written(f"{_HEADERS}X-Frame-Options: deny\n", is_accepted=True),
    "frame sameorigin": Written(f"{_HEADERS}X-Frame-Options: sameorigin\n", is_accepted=True),
    "frame maybe": Written(f"{_HEADERS}X-Frame-Options: maybe\n", is_accepted=False),
    "frame empty": Written(f'{_HEADERS}X-Frame-Options: ""\n', is_accepted=False),
    "nosniff": Written(f"{_HEADERS}X-Content-Type-Options: nosniff\n", is_accepted=True),
    "sniff": Written(f"{_HEADERS}X-Content-Type-Options: sniff\n", is_accepted=False),
    "hsts": Written(f"{_HEADERS}Strict-Transport-Security: max-age=1\n", is_accepted=True),
    "csp": Written(f"{_HEADERS}Content-Security-Policy: default-src 'none'\n", is_accepted=True),
    "xss": Written(f'{_HEADERS}X-XSS-Protection: "1"\n', is_accepted=True),
    "other header": Written(f"{_HEADERS}Server: x\n", is_accepted=False),
    "header in lower case": Written(f"{_HEADERS}x-frame-options: deny\n", is_accepted=False),
    "cors": Written(f'{_HEADERS}Access-Control-Allow-Origin: "*"\n', is_accepted=False),
    "unknown key": Written("basic_auth:\n  a: b\n", is_accepted=False),
    "unknown key of tls": Written(_tls("cypher: x"), is_accepted=False),
    "key given twice": Written(
        "http_server_config:\n  http2: true\nhttp_server_config:\n  http2: false\n",
        is_accepted=False,
    ),
    "not yaml": Written("a: [\n", is_accepted=False),
    "a list": Written("- a\n", is_accepted=False),
    "a word": Written("abc\n", is_accepted=False),
    "a tab": Written("\ta: b\n", is_accepted=False),
    "two documents": Written(
        f"{TLS}---\nbasic_auth_users: {{}}\n", is_accepted=True, because="the second has no effect"
    ),
    "client ca alone": Written(_tls("client_ca_file: cert.pem"), is_accepted=False),
    "client ca missing": Written(
        _tls("client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: none.pem"),
        is_accepted=False,
    ),
    "client ca without certificate": Written(
        _tls("client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: key.pem"),
        is_accepted=True,
        because="nobody could be verified",
    ),
    **{
        f"auth {kind}": Written(
            _tls(f"client_auth_type: {kind}"),
            kind not in ("requireandverifyclientcert", "Never"),
            because=_UNVERIFIED if kind in ("RequireClientCert", "RequireAnyClientCert") else "",
        )
        for kind in (
            "NoClientCert",
            "RequestClientCert",
            "RequireClientCert",
            "RequireAnyClientCert",
            "VerifyClientCertIfGiven",
            "RequireAndVerifyClientCert",
            '""',
            "requireandverifyclientcert",
            "Never",
        )
    },
    **{
        f"auth {kind} with ca": Written(
            _tls(f"client_auth_type: {kind}\n  client_ca_file: cert.pem"), is_accepted
        )
        for kind, is_accepted in (
            ("NoClientCert", False),
            ('""', False),
            ("RequestClientCert", True),
            ("VerifyClientCertIfGiven", True),
            ("RequireAndVerifyClientCert", True),
        )
    },
    **{
        f"{bound} {version}": Written(
            _tls(f"{bound}_version: {version}"),
            version.startswith("TLS1") and version != "TLS14",
            because=_NO_VERSION if bound == "max" and version in ("TLS10", "TLS11") else "",
        )
        for bound in ("min", "max")
        for version in ("TLS10", "TLS11", "TLS12", "TLS13", "TLS14", "tls12", "SSL3", "1.2")
    },
    "min above max": Written(
        _tls("min_version: TLS13\n  max_version: TLS12"), is_accepted=True, because=_NO_VERSION
    ),
    **{
        f"cipher {name}": Written(_tls(f"cipher_suites: [{name}]"), is_accepted)
        for name, is_accepted in (
            ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", True),
            ("TLS_AES_128_GCM_SHA256", True),
            ("TLS_RSA_WITH_AES_128_CBC_SHA", True),
            ("TLS_RSA_WITH_RC4_128_SHA", False),
            ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", False),
            ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", False),
            ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", False),
            ("ECDHE-RSA-AES128-SHA", False),
        )
    },
    "no ciphers": Written(_tls("cipher_suites: []"), is_accepted=True),
    **{
        f"curve {name}": Written(_tls(f"curve_preferences: [{name}]"), name.startswith(("C", "X2")))
        for name in ("CurveP256", "CurveP384", "CurveP521", "X25519", "P256", "curvep256", "X448")
    },
    "prefer server": Written(_tls("prefer_server_cipher_suites: false"), is_accepted=True),
    "allowed names": Written(
        _tls(
            "client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: cert.pem\n"
            "  client_allowed_sans: [localhost]"
        ),
        is_accepted=True,
        is_younger_than_promtool=True,
    ),
    "rate": Written(
        "rate_limit:\n  interval: 1s\n  burst: 20\n",
        is_accepted=True,
        is_younger_than_promtool=True,
    ),
}
