"""The files of the exporter toolkit are accepted and refused as the service does, but for a few."""

import re
from pathlib import Path

import pytest

from hypervisor.live.agent.web.config.file import WebConfigError, read_config
from hypervisor.live.agent.web.tls import context
from tests.support.certificates import make_certificate
from tests.support.webconfigs import FILES, HASH, TLS, Written

REFUSED_HERE = {
    "min TLS10": "an agent speaks TLS 1.2 and 1.3",
    "min TLS11": "an agent speaks TLS 1.2 and 1.3",
}
"""Files that the service accepts and an agent does not, and why."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("web"))


def config(folder: Path, text: str):
    file = folder / "web.yml"
    file.write_text(text)
    return read_config(str(file))


def is_accepted(folder: Path, text: str) -> bool:
    try:
        tls = config(folder, text).tls
        if tls is not None:
            context(tls)
    except WebConfigError as error:
        assert "\n" not in str(error)
        return False
    return True


@pytest.mark.parametrize(("name", "written"), FILES.items(), ids=FILES)
def test_a_file_is_accepted_as_by_the_service_or_the_reason_is_listed(
    folder, name, written: Written
):
    expected = written.is_accepted_here and name not in REFUSED_HERE

    assert expected == is_accepted(folder, written.text)


def test_what_is_refused_here_alone_is_accepted_by_the_service():
    assert [True] * len(REFUSED_HERE) == [FILES[name].is_accepted_here for name in REFUSED_HERE]


def test_all_of_it_is_read(folder):
    found = config(
        folder,
        f"""\
tls_server_config:
  cert_file: cert.pem
  key_file: {folder}/key.pem
  client_ca_file: cert.pem
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [localhost]
  min_version: TLS13
  cipher_suites:
  - TLS_AES_128_GCM_SHA256
  prefer_server_cipher_suites: false
http_server_config:
  headers:
    X-Frame-Options: deny
basic_auth_users:
  ann: {HASH}  # secret
""",
    )

    assert found.tls is not None
    assert (f"{folder}/cert.pem", f"{folder}/key.pem", ("localhost",), "TLS13", False) == (
        found.tls.cert_file,
        found.tls.key_file,
        found.tls.client_allowed_sans,
        found.tls.min_version,
        found.tls.prefer_server_cipher_suites,
    )
    assert {"X-Frame-Options": "deny"} == found.headers
    assert {"ann": HASH} == found.users


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\n\nbasic_auth: {}\n", "line 3: no key 'basic_auth'; there are tls_server_config, "),
        ("basic_auth_users:\n  a: b\n", "line 2: the password of 'a' is not a bcrypt hash"),
        (TLS + "  min_version: TLS11\n", "min_version is one of TLS12, TLS13"),
        (TLS.replace("key.pem", "no.pem"), "line 3: no such file: no.pem"),
        ("rate_limit:\n  interval: 1s\n", "line 2: rate_limit: burst says how many"),
        ("rate_limit:\n  interval: often\n  burst: 1\n", "line 2: write a duration such as"),
        ("rate_limit:\n  interval: 5\n  burst: 1\n", "line 2: write a duration such as"),
    ],
)
def test_a_refusal_names_file_line_and_reason(folder, text, told):
    with pytest.raises(WebConfigError, match=re.escape(f"{folder}/web.yml: ")) as caught:
        config(folder, text)

    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("", False),
        (f"basic_auth_users:\n  a: {HASH}\n", True),
        (TLS, False),
        (TLS + "  client_auth_type: VerifyClientCertIfGiven\n", False),
        (TLS + "  client_auth_type: RequireAndVerifyClientCert\n", True),
    ],
)
def test_clients_are_known_by_passwords_or_certificates(folder, text, has):
    assert has == config(folder, text).has_authentication


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("", None),
        ("rate_limit:\n", None),
        ("rate_limit:\n  burst: 5\n", None),
        ("rate_limit:\n  interval: 0\n  burst: 5\n", None),
        ("rate_limit:\n  interval: 1m30s\n  burst: 5\n", (90.0, 5)),
        ("rate_limit:\n  interval: 500ms\n  burst: 1\n", (0.5, 1)),
    ],
)
def test_a_limit_of_requests_is_read(folder, text, rate):
    assert rate == config(folder, text).rate


def test_a_header_cannot_bring_another_one(folder):
    with pytest.raises(WebConfigError, match="no header may have"):
        config(
            folder,
            'http_server_config:\n  headers:\n    Content-Security-Policy: "a\\nB: c"\n',
        )


def test_a_file_without_end_is_not_read_to_its_end(folder):
    with pytest.raises(WebConfigError, match="more than 65536 bytes"):
        read_config("/dev/zero")


def test_a_file_that_is_missing_is_named():
    with pytest.raises(WebConfigError, match=r"^/nowhere/web.yml: No such file"):
        read_config("/nowhere/web.yml")


def test_a_file_that_is_no_text_is_refused(folder):
    (folder / "bytes.yml").write_bytes(b"\xff")

    with pytest.raises(WebConfigError, match="not UTF-8"):
        read_config(str(folder / "bytes.yml"))
