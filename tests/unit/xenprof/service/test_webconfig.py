import os

import pytest

from xenprof.service.webconfig import WebConfigError, WebConfigFile

HASH = "$2b$04$" + "." * 53
USERS = f"basic_auth_users: {{ann: {HASH}}}\n"
TLS = "tls_server_config: {cert_file: web.yml, key_file: web.yml}\n"
CLIENTS_TOO = (
    "tls_server_config: {cert_file: web.yml, key_file: web.yml, client_ca_file: web.yml, "
    "client_auth_type: RequireAndVerifyClientCert}\n"
)


def written(tmp_path, text):
    path = tmp_path / "web.yml"
    path.write_text(text)
    return path


TLS_WITH = "tls_server_config: {{cert_file: web.yml, key_file: web.yml, {}}}"
TOOLKIT = f"""\
tls_server_config:
  cert_file: web.yml
  key_file: web.yml
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: web.yml
  client_allowed_sans: [localhost]
  min_version: TLS12
  max_version: TLS13
  cipher_suites:
  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
  prefer_server_cipher_suites: true
  curve_preferences: [CurveP256, X25519]
http_server_config:
  http2: true
  headers:
    Strict-Transport-Security: max-age=31536000
    X-Frame-Options: deny
rate_limit:
  interval: 1s
  burst: 20
{USERS}"""


def test_every_documented_key_of_the_exporters_is_read(tmp_path):
    config = WebConfigFile(written(tmp_path, TOOLKIT)).current()

    tls = config.tls_server_config
    assert tls is not None
    assert ("TLS12", "TLS13", ("localhost",)) == (
        tls.min_version, tls.max_version, tls.client_allowed_sans
    )  # fmt: skip
    assert (1.0, 20) == (config.rate_limit.interval_seconds, config.rate_limit.burst)
    assert "deny" == config.http_server_config.headers["X-Frame-Options"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("500ms", 0.5), ("1m30s", 90), ("1.5h", 5400), ("0", 0), ("0s", 0), ("2000000000", 2), ("7us", 7e-6)],
)  # fmt: skip
def test_an_interval_is_a_duration_of_go(tmp_path, text, seconds):
    file = WebConfigFile(written(tmp_path, f"rate_limit: {{interval: {text}, burst: 1}}"))

    assert pytest.approx(seconds) == file.current().rate_limit.interval_seconds


def test_an_empty_file_is_a_config_without_authentication(tmp_path):
    assert not WebConfigFile(written(tmp_path, "")).current().has_authentication


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "basic_auth_user: {a: b}",
            "basic_auth_user: no such key; there are tls_server_config, http_server_config, "
            "rate_limit, basic_auth_users",
        ),
        (
            "tls_server_config: {cert: x, cert_file: web.yml, key_file: web.yml}",
            "tls_server_config: cert and cert_file exclude each other",
        ),
        (
            "http_server_config: {http3: true}",
            "http_server_config.http3: no such key; there are http2, headers",
        ),
        ("rate_limit: {rate: 1}", "rate_limit.rate: no such key; there are interval, burst"),
        (
            "rate_limit: {interval: fast, burst: 1}",
            "rate_limit.interval: write a duration such as 1s, 500ms or 1m30s",
        ),
        ("rate_limit: {interval: 1s}", "rate_limit: burst 0 would refuse every request"),
        (
            TLS_WITH.format("min_version: TLS9"),
            "tls_server_config.min_version: Input should be 'TLS10'",
        ),
        (
            TLS_WITH.format("min_version: TLS13, max_version: TLS12"),
            "tls_server_config: min_version TLS13 is above max_version",
        ),
        (
            TLS_WITH.format("cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]"),
            "unknown or insecure cipher suite 'TLS_RSA_WITH_RC4_128_SHA'",
        ),
        (TLS_WITH.format("curve_preferences: [CurveP1]"), "curve_preferences.0: Input should be"),
        (
            TLS_WITH.format("client_auth_type: RequireAnyClientCert"),
            "client_auth_type RequireAnyClientCert is not supported",
        ),
        (TLS_WITH.format("client_ca_file: web.yml"), "client_ca_file needs client_auth_type"),
        (
            TLS_WITH.format("client_allowed_sans: [a]"),
            "client_allowed_sans needs a client_auth_type that verifies",
        ),
        ("basic_auth_users: {a: secret}", "'a' is not a bcrypt hash"),
        (f"basic_auth_users: {{a: $2b$04${'z' * 53}}}", "'a' is not a bcrypt hash"),
        (f"basic_auth_users: {{a: $2b$1\u0663${'.' * 53}}}", "'a' is not a bcrypt hash"),
        ("http_server_config: {headers: {X-Nonsense: a}}", "X-Nonsense"),
        ("tls_server_config: {cert_file: none.pem, key_file: none.key}", "no such file: none.pem"),
        ("a: [", "not YAML"),
        ("- a", "valid dictionary"),
        ("[]", "valid dictionary"),
        ("[" * 5000, "not YAML"),
        ("a: !!bool maybe", "not YAML"),
        ("a: " + "1" * 5000, "not YAML"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(WebConfigError, match=message) as caught:
        WebConfigFile(written(tmp_path, text))

    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(WebConfigError, match="No such file"):
        WebConfigFile(tmp_path / "none.yml")


def test_changed_users_are_in_force_at_once(tmp_path):
    file = WebConfigFile(written(tmp_path, USERS))
    written(tmp_path, USERS.replace("ann", "bob"))

    assert file.current().basic_auth_users == {"bob": HASH}


def test_one_request_is_under_one_configuration_and_the_next_under_the_new_one(tmp_path):
    path = written(tmp_path, USERS)
    config = WebConfigFile(path)
    request: dict[str, object] = {}
    first = config.in_force_for(request)
    path.write_text(USERS.replace("ann", "bob"))

    assert (config.in_force_for(request) is first, [*config.in_force_for({}).basic_auth_users]) == (
        True,
        ["bob"],
    )


def test_a_change_within_one_clock_tick_counts(tmp_path):
    path = written(tmp_path, USERS)
    before = path.stat()
    file = WebConfigFile(path)
    written(tmp_path, USERS.replace("ann", "bob"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert file.current().basic_auth_users == {"bob": HASH}


def emptied(path):
    path.write_text("")


def half_written(path):
    path.write_text(USERS[:40])


def invalid(path):
    path.write_text("nonsense: true, or not")


def missing(path):
    path.unlink()


def unreadable(path):
    path.unlink()
    path.mkdir()


def a_pipe_without_writer(path):
    path.unlink()
    os.mkfifo(path)


def without_users(path):
    path.write_text("http_server_config: {}")


SPOILT = [emptied, half_written, invalid, missing, unreadable, a_pipe_without_writer, without_users]


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_file_that_cannot_be_used_changes_nothing(tmp_path, spoil):
    path = written(tmp_path, USERS)
    file = WebConfigFile(path)
    spoil(path)

    assert file.current().basic_auth_users == {"ann": HASH}


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_file_that_cannot_be_used_is_logged_once(tmp_path, caplog, spoil):
    path = written(tmp_path, USERS)
    file = WebConfigFile(path)
    spoil(path)
    for _ in range(3):
        file.current()

    assert len(caplog.messages) == 1


def test_a_second_change_is_logged_again(tmp_path, caplog):
    path = written(tmp_path, USERS)
    file = WebConfigFile(path)
    for spoil in (emptied, invalid):
        spoil(path)
        file.current()

    assert len(caplog.messages) == 2


def test_a_file_that_is_repaired_is_in_force_again(tmp_path):
    path = written(tmp_path, USERS)
    file = WebConfigFile(path)
    emptied(path)
    file.current()
    written(tmp_path, USERS.replace("ann", "bob"))

    assert file.current().basic_auth_users == {"bob": HASH}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (USERS, "http_server_config: {}"),
        (USERS, "basic_auth_users: {}"),
        ("rate_limit: {interval: 1s, burst: 2}", "rate_limit: {interval: 0}"),
        (CLIENTS_TOO, TLS),
        (CLIENTS_TOO + USERS, TLS + USERS),
        (CLIENTS_TOO + USERS, CLIENTS_TOO),
        (TLS + USERS, USERS),
    ],
)
def test_less_protection_needs_a_restart(tmp_path, caplog, before, after):
    file = WebConfigFile(written(tmp_path, before))
    in_force = file.current()
    written(tmp_path, after)

    assert (file.current(), "needs a restart" in caplog.text) == (in_force, True)


def test_users_that_came_after_the_start_do_not_go_without_a_restart(tmp_path):
    file = WebConfigFile(written(tmp_path, "http_server_config: {}"))
    written(tmp_path, USERS)
    file.current()
    written(tmp_path, "http_server_config: {}")

    assert file.current().has_authentication


def test_certificates_asked_for_later_are_not_taken_for_shown(tmp_path, caplog):
    file = WebConfigFile(written(tmp_path, TLS))
    written(tmp_path, CLIENTS_TOO)

    assert (file.current().has_authentication, len(caplog.messages)) == (False, 1)
