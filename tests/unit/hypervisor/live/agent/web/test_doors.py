import base64
import contextlib
import ssl

import pytest

from hypervisor.live.agent.web import connection
from hypervisor.live.agent.web import doors as opening
from hypervisor.live.agent.web.config.file import WebConfigError
from hypervisor.live.agent.web.doors import open_doors
from hypervisor.live.agent.web.httphead import Answer
from hypervisor.live.agent.web.listening import Address, CannotListen
from hypervisor.live.agent.web.passwords import NoBcrypt
from tests.support.certificates import make_certificate
from tests.support.live.agent_parts import connected, everything, request, serving
from tests.support.webconfigs import HASH, TLS

LOOPBACK, ANYWHERE = Address("127.0.0.1", 0), Address("0.0.0.0", 0)
USERS = f"basic_auth_users:\n  ann: {HASH}\n"
"""The password is `secret`."""
CLIENTS = TLS + "  client_ca_file: cert.pem\n  client_auth_type: RequireAndVerifyClientCert\n"
ASK = ("GET / HTTP/1.1", "Host: localhost", "Connection: close")
RIGHT = "Authorization: Basic " + base64.b64encode(b"ann:secret").decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("web"))


@pytest.fixture
def told():
    return []


@pytest.fixture
def opened(folder, told):
    """Return a function that opens the doors that a web config and addresses want."""
    with contextlib.ExitStack() as held:

        def opened(text=None, *addresses, unix_socket=None):
            file = folder / "web.yml"
            file.write_text(text or "")
            config = None if text is None else str(file)
            return open_doors(addresses, unix_socket, config, held, told.append)

        yield opened


def asked(door, *more, certificate=None, is_plain=False):
    """Return the status of the answer to a request, None if there was none."""
    with serving(door, lambda _: Answer(200)), connected(door.listener) as client:
        if door.secure is not None and not is_plain:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if certificate is not None:
                context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
            client = context.wrap_socket(client)
        try:
            client.sendall(request(*ASK, *more))
            answer = everything(client)
        except OSError:
            return None
        finally:
            client.close()
    return int(answer.split(b" ")[1]) if answer else None


@pytest.mark.parametrize("text", [None, "", USERS, TLS], ids=["none", "empty", "users", "tls"])
def test_an_address_that_strangers_reach_needs_tls_and_a_password(opened, text):
    with pytest.raises(CannotListen, match="can be reached from outside"):
        opened(text, ANYWHERE)


@pytest.mark.parametrize("text", [TLS + USERS, CLIENTS], ids=["passwords", "certificates"])
def test_an_address_that_strangers_reach_is_opened_with_both(opened, text):
    (door,) = opened(text, ANYWHERE)

    assert str(door).startswith("https://0.0.0.0:")


@pytest.mark.parametrize(
    ("text", "more", "status"),
    [
        (None, (), 200),
        (USERS, (), 401),
        (USERS, (RIGHT,), 200),
        (TLS, (), 200),
        (TLS + USERS, (), 401),
        (TLS + USERS, (RIGHT,), 200),
        (CLIENTS, (), None),
    ],
)
def test_a_door_lets_those_in_who_may(opened, text, more, status):
    (door,) = opened(text, LOOPBACK)

    assert status == asked(door, *more)


def test_a_client_with_a_certificate_is_let_in(opened, folder):
    (door,) = opened(CLIENTS, LOOPBACK)

    assert 200 == asked(door, certificate=folder)


@pytest.mark.parametrize(("name", "status"), [("localhost", 200), ("other", None)])
def test_a_client_needs_one_of_the_names_that_are_allowed(opened, folder, name, status):
    (door,) = opened(CLIENTS + f"  client_allowed_sans: [{name}]\n", LOOPBACK)

    assert status == asked(door, certificate=folder)


def test_who_speaks_no_tls_gets_nothing(opened):
    (door,) = opened(TLS, LOOPBACK)

    assert None is asked(door, is_plain=True)


def test_who_says_nothing_in_tls_loses_his_place(opened, monkeypatch):
    monkeypatch.setattr(connection, "HEAD_SECONDS", 1000.0)
    (door,) = opened(TLS, LOOPBACK)
    with (
        serving(door, lambda _: Answer(200), most_connections=1),
        connected(door.listener) as silent,
    ):
        ssl_of_another = ssl.create_default_context()
        ssl_of_another.check_hostname, ssl_of_another.verify_mode = False, ssl.CERT_NONE
        with ssl_of_another.wrap_socket(connected(door.listener)):
            assert b"" == everything(silent)


@pytest.mark.parametrize(
    ("bounds", "version"),
    [
        ("min_version: TLS12", "TLSv1.3"),
        ("max_version: TLS12", "TLSv1.2"),
        ("min_version: TLS13", "TLSv1.3"),
        ("cipher_suites: [TLS_AES_128_GCM_SHA256]", "TLSv1.3"),
    ],
)
def test_a_version_that_is_allowed_is_spoken(opened, bounds, version):
    (door,) = opened(f"{TLS}  {bounds}\n", LOOPBACK)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        serving(door, lambda _: Answer(200)),
        connected(door.listener) as client,
        context.wrap_socket(client) as secured,
    ):
        assert version == secured.version()


def test_a_limit_of_requests_is_kept(opened):
    (door,) = opened("rate_limit:\n  interval: 1h\n  burst: 1\n", LOOPBACK)

    assert [200, 429] == [asked(door._replace(listener=door.listener.dup())) for _ in range(2)]


def serial(door):
    """Return what tells the certificate that a door shows from others."""
    with serving(door._replace(listener=door.listener.dup()), lambda _: Answer(200)):
        return ssl.get_server_certificate(door.listener.getsockname())


def test_a_certificate_that_was_renewed_is_shown(opened, folder):
    (door,) = opened(TLS, LOOPBACK)
    before = serial(door)
    make_certificate(folder)

    assert before != serial(door)


def test_a_renewal_that_is_not_complete_changes_nothing(opened, folder, told):
    (door,) = opened(TLS, LOOPBACK)
    before = serial(door)
    good = (folder / "cert.pem").read_bytes()
    (folder / "cert.pem").write_text("half")
    after = [serial(door), serial(door)]
    (folder / "cert.pem").write_bytes(good)

    assert [before] * 2 == after
    assert ["; the certificates read before stay in use"] == [line[-42:] for line in told]


def test_a_private_socket_needs_no_password(opened, tmp_path):
    (door,) = opened(USERS, unix_socket=str(tmp_path / "s"))

    assert str(tmp_path / "s") == str(door)
    assert door.secure is None


def test_headers_that_are_configured_are_of_every_answer(opened):
    (door,) = opened("http_server_config:\n  headers:\n    X-Frame-Options: deny\n", LOOPBACK)

    assert ("X-Frame-Options", "deny") in door.headers


def test_without_bcrypt_nobody_is_let_in(opened, monkeypatch):
    monkeypatch.setattr("hypervisor.live.agent.web.passwords._LIBRARIES", ())

    with pytest.raises(NoBcrypt):
        opened(USERS, LOOPBACK)


def test_a_key_that_does_not_fit_is_told(opened):
    with pytest.raises(WebConfigError, match=r"tls_server_config: .*"):
        opened(TLS.replace("key.pem", "cert.pem"), LOOPBACK)


def test_what_was_opened_before_a_refusal_is_closed(folder):
    with contextlib.ExitStack() as held:
        (first,) = opening.open_doors([LOOPBACK], None, None, held, print)
        with pytest.raises(CannotListen):
            opening.open_doors([ANYWHERE], None, None, held, print)

    assert -1 == first.listener.fileno()
