import base64
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

import bcrypt
import pytest

from tests.support.paths import ROOT
from xenprof.client import Client, ServiceError, ServiceNotRunning
from xenprof.wire.domain_requests import Pause, Unpause
from xenprof.wire.host_requests import StopService
from xenprof.wire.paths import HOST_INFO


def spawn(home, address="127.0.0.1:0", *more):
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.support.e2e.fake_service",
            str(home),
            address,
            *map(str, more),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def serve(home, *more):
    process = spawn(home, *more)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    home = tmp_path_factory.mktemp("home") / ("a long path " + "x" * 120)
    process, url = serve(home)
    yield home, url, process
    process.terminate()
    process.communicate(timeout=30)


def test_the_control_socket_takes_commands(service):
    home, _, _ = service

    Client(home).do(Pause(), "ossvm02")


def test_the_tcp_address_can_be_read(service):
    with urllib.request.urlopen(service[1] + "api/v1/info") as answer:
        assert json.load(answer) == {"host": "fake"}


def test_the_tcp_address_cannot_change_anything(service):
    request = urllib.request.Request(
        service[1] + "api/v1/domains/ossvm02/pause",
        data=b"{}",
        headers={"Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)

    with caught.value as answer:
        assert answer.code == 403


def test_a_second_service_says_who_holds_the_home(service):
    home, _, process = service
    second = spawn(home)
    _, errors = second.communicate(timeout=30)

    assert second.returncode == 1
    assert f"{home} is already served by process {process.pid}" in errors
    assert len(errors.splitlines()) == 1


def test_a_taken_port_is_one_line(service, tmp_path):
    address = service[1].removeprefix("http://").rstrip("/")
    process = spawn(tmp_path, address)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert f"cannot listen on {address}: Address already in use" in errors
    assert len(errors.splitlines()) == 1


def test_an_unusable_home_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    process = spawn(tmp_path / "file" / "home")
    _, errors = process.communicate(timeout=30)

    assert (process.returncode, len(errors.splitlines())) == (1, 1)
    assert "Not a directory" in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_gracefully(tmp_path, number):
    process, _ = serve(tmp_path)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)

    assert (process.returncode, errors) == (0, "")
    assert not (tmp_path / "control.sock").exists()


def test_below_nohup_the_end_of_a_terminal_does_not_end_it(tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which the process inherits
    process, _ = serve(tmp_path)
    signal.signal(signal.SIGHUP, before)
    process.send_signal(signal.SIGHUP)
    answer = Client(tmp_path).get(HOST_INFO, dict[str, str])
    process.terminate()
    process.communicate(timeout=30)

    assert answer == {"host": "fake"}


def test_a_stop_command_ends_it_and_whoever_waits_is_told(tmp_path):
    process, _ = serve(tmp_path)
    waiting = socket.socket(socket.AF_UNIX)
    folder = os.open(tmp_path, os.O_RDONLY)
    waiting.connect(f"/proc/self/fd/{folder}/control.sock")
    os.close(folder)
    body = b'{"seconds": 1e6}'
    waiting.sendall(
        b"POST /api/v1/wait HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body) + body
    )
    Client(tmp_path).get(HOST_INFO, dict[str, str])  # the request before it is being handled by now
    Client(tmp_path).do(StopService())
    answer = waiting.recv(4096)
    waiting.close()
    process.communicate(timeout=30)

    assert b" 503 " in answer.splitlines()[0]
    assert process.returncode == 0


def test_after_a_crash_the_next_service_takes_over(tmp_path):
    process, _ = serve(tmp_path)
    process.kill()
    process.communicate(timeout=30)
    with pytest.raises(ServiceNotRunning):
        Client(tmp_path).get(HOST_INFO, dict[str, str])

    process, _ = serve(tmp_path)
    answer = Client(tmp_path).get(HOST_INFO, dict[str, str])
    process.terminate()
    process.communicate(timeout=30)

    assert answer == {"host": "fake"}


def with_ann(folder):
    """Return a web configuration with one user."""
    config = folder / "web.yml"
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    config.write_text(f"basic_auth_users: {{ann: {hashed}}}")
    return config


def asked_by_ann(url):
    """Return a command as she sends it."""
    return urllib.request.Request(
        url,
        data=b"{}",
        headers={
            "Content-Type": "application/json",
            "Authorization": "Basic " + base64.b64encode(b"ann:secret").decode(),
        },
    )


def test_with_authentication_the_tcp_address_takes_commands(tmp_path):
    process, url = serve(tmp_path, "127.0.0.1:0", with_ann(tmp_path))
    request = asked_by_ann(url + "api/v1/domains/ossvm02/pause")
    with urllib.request.urlopen(request) as answer:
        status = answer.status
    process.terminate()
    process.communicate(timeout=30)

    assert status == 200


def test_a_bug_is_answered_as_such_and_logged(tmp_path):
    process, _ = serve(tmp_path)
    with pytest.raises(ServiceError, match="a bug in xenprof"):
        Client(tmp_path).do(Unpause(), "ossvm02")
    process.terminate()
    _, errors = process.communicate(timeout=30)

    assert "ZeroDivisionError: a bug" in errors


def test_a_bug_tells_nothing_over_tcp_and_is_logged(tmp_path):
    process, url = serve(tmp_path, "127.0.0.1:0", with_ann(tmp_path))
    request = asked_by_ann(url + "api/v1/domains/ossvm02/unpause")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as answer:
        told = json.load(answer)["error"]["message"]
    process.terminate()
    _, errors = process.communicate(timeout=30)

    assert told == "internal error, see the log of the service"
    assert "ZeroDivisionError: a bug" in errors


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return a self-signed certificate for this run only."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
    command += "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        [*command.split(), "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True,
        capture_output=True,
    )
    return folder


def test_with_a_certificate_the_tcp_address_speaks_tls(certificate, tmp_path):
    config = certificate / "web.yml"
    config.write_text("tls_server_config: {cert_file: cert.pem, key_file: key.pem}")
    process, url = serve(tmp_path, "127.0.0.1:0", config)
    trusting = ssl.create_default_context(cafile=certificate / "cert.pem")
    with urllib.request.urlopen(url + "-/ready", context=trusting) as answer:
        status = answer.status
    process.terminate()
    process.communicate(timeout=30)

    assert (url.startswith("https://127.0.0.1:"), status) == (True, 200)


def test_a_key_that_does_not_fit_is_one_line(certificate, tmp_path):
    config = certificate / "wrong.yml"
    config.write_text("tls_server_config: {cert_file: cert.pem, key_file: cert.pem}")
    process = spawn(tmp_path, "127.0.0.1:0", config)
    _, errors = process.communicate(timeout=30)

    assert (process.returncode, len(errors.splitlines())) == (1, 1)
    assert "tls_server_config" in errors
