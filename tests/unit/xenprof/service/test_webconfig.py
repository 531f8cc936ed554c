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


def test_an_empty_file_is_a_config_without_authentication(tmp_path):
    assert not WebConfigFile(written(tmp_path, "")).current().has_authentication


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("basic_auth_user: {a: b}", "basic_auth_user: Extra inputs"),
        ("basic_auth_users: {a: secret}", "'a' is not a bcrypt hash"),
        (f"basic_auth_users: {{a: $2b$04${'z' * 53}}}", "'a' is not a bcrypt hash"),
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
