"""Which services Prometheus is told of."""

import contextlib
import json
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_host import host_without
from tests.support.service_fakes import ask_now
from xenprof.service import discovery
from xenprof.service import found_home as module
from xenprof.service.app import create_app
from xenprof.service.discovery import MOST_TARGETS, CannotDiscover, Places, TargetGroup
from xenprof.service.exporter import ExporterSettings
from xenprof.service.home_lock import HomeLock
from xenprof.service.service import Service


def group(*targets: str, scheme: str = "http", path: str = "/metrics") -> TargetGroup:
    return {
        "targets": list(targets),
        "labels": {"__scheme__": scheme, "__metrics_path__": path},
    }


def listed(folder: Path, text: str) -> list[TargetGroup]:
    (folder / "list").write_text(text)
    return Places(lists=(folder / "list",)).groups()


def test_a_list_has_an_address_a_line(tmp_path):
    text = "# hosts\nxen1:10031\n\nxen2:10031  # rack 2\n"

    assert [group("xen1:10031", "xen2:10031")] == listed(tmp_path, text)


def test_a_line_may_be_a_url(tmp_path):
    text = "https://xen1:1/m\nhttps://xen2:1/m\nhttp://[::1]:2\n"

    assert [
        group("xen1:1", "xen2:1", scheme="https", path="/m"),
        group("[::1]:2"),
    ] == listed(tmp_path, text)


def test_a_target_is_told_once(tmp_path):
    assert [group("a:1")] == listed(tmp_path, "a:1\na:1\nhttp://a:1/metrics\n")


@pytest.mark.parametrize(
    "line",
    [
        "a",
        "a:x",
        "a:99999",
        "ftp://a:1",
        "http://u:p@a:1",
        "a:1?x=1",
        ":1",
        "a b:1",
        "http://a",
        'bad"host<x>:5',
        "a:0",
        "a:65536",
        "http://[::1:5",
    ],
)
def test_a_line_that_is_no_address_is_named(tmp_path, line):
    with pytest.raises(CannotDiscover, match="list: line 2: "):
        listed(tmp_path, f"ok:1\n{line}\n")


@given(st.binary(max_size=200))
def test_any_file_gives_targets_or_one_line(tmp_path_factory, data):
    file = tmp_path_factory.mktemp("lists") / "list"
    file.write_bytes(data)
    try:
        json.dumps(Places(lists=(file,)).groups())
    except CannotDiscover as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("places", [{"lists": True}, {"homes": True}])
def test_a_place_that_is_not_there_is_named(tmp_path, places):
    missing = (tmp_path / "missing",)

    with pytest.raises(CannotDiscover, match="missing: No such file"):
        Places(**dict.fromkeys(places, missing)).groups()


def test_too_many_targets_are_refused(tmp_path):
    text = "".join(f"host{number}:1\n" for number in range(MOST_TARGETS + 1))

    with pytest.raises(CannotDiscover, match="more than 10000 targets"):
        listed(tmp_path, text)


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one.getsockname()[1]


@contextlib.contextmanager
def served(home: Path, url: str, metrics_path: str = "/metrics"):
    lock = HomeLock(home)
    lock.note_url(url, metrics_path)
    try:
        yield
    finally:
        lock.release()


def found(folder: Path) -> list[TargetGroup]:
    return Places(homes=(folder,)).groups()


def test_services_are_found_by_their_homes(tmp_path, listener):
    (tmp_path / "stopped").mkdir()
    (tmp_path / "a file").write_text("")

    with served(tmp_path / "running", f"http://127.0.0.1:{listener}/", "/own/metrics"):
        assert [group(f"127.0.0.1:{listener}", path="/own/metrics")] == found(tmp_path)


def test_a_folder_may_be_a_home_itself(tmp_path, listener):
    (tmp_path / "domains").mkdir()

    with served(tmp_path, f"http://127.0.0.1:{listener}/"):
        assert [group(f"127.0.0.1:{listener}")] == found(tmp_path)


def test_a_service_on_all_addresses_is_told_with_one_that_can_be_reached(tmp_path):
    with socket.create_server(("0.0.0.0", 0)) as one:
        port = one.getsockname()[1]
        with served(tmp_path / "running", f"http://0.0.0.0:{port}/"):
            assert [group(f"127.0.0.1:{port}")] == found(tmp_path)


@pytest.mark.parametrize(
    "note",
    [
        b"1, http://169.254.169.254:80/latest/meta-data\n",
        b"1, http://127.0.0.1:1/\nmetrics: /metrics\n",
        b"1, http://127.0.0.1:PORT/\n",
        b"1, http://127.0.0.1:PORT/\nmetrics: /metrics?x=1\n",
        b"1, ftp://127.0.0.1:PORT/\nmetrics: /metrics\n",
        b"\xff\xfe, http://127.0.0.1:PORT/\nmetrics: /metrics\n",
        b"x" * 100_000,
        b"",
    ],
)
def test_a_note_that_the_system_does_not_confirm_is_no_target(tmp_path, listener, note):
    with served(tmp_path / "hostile", "http://127.0.0.1:1/"):
        text = note.replace(b"PORT", str(listener).encode())
        (tmp_path / "hostile" / "serve.lock").write_bytes(text)

        assert [] == found(tmp_path)


@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "device"])
def test_a_hostile_home_does_not_hide_the_others(tmp_path, listener, kind):
    (tmp_path / "a").mkdir()
    lock = tmp_path / "a" / "serve.lock"
    if kind == "fifo":
        os.mkfifo(lock)
    elif kind == "folder":
        lock.mkdir()
    else:
        lock.symlink_to("/dev/zero" if kind == "device" else lock)

    with served(tmp_path / "b", f"http://127.0.0.1:{listener}/"):
        assert [group(f"127.0.0.1:{listener}")] == found(tmp_path)


def closed(monkeypatch, *homes: Path) -> None:
    def scraped_at(home: Path) -> str | None:
        if home in homes:
            raise PermissionError
        return module.scraped_at(home)

    monkeypatch.setattr(discovery, "scraped_at", scraped_at)


def test_folders_that_may_not_be_read_and_no_service_are_an_error(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    closed(monkeypatch, tmp_path / "a")

    with pytest.raises(CannotDiscover, match="a: this user may not read it"):
        found(tmp_path)


def test_a_folder_that_may_not_be_read_does_not_hide_the_others(tmp_path, monkeypatch, listener):
    (tmp_path / "lost+found").mkdir()
    closed(monkeypatch, tmp_path / "lost+found")

    with served(tmp_path / "running", f"http://127.0.0.1:{listener}/"):
        assert [group(f"127.0.0.1:{listener}")] == found(tmp_path)


def test_a_list_that_is_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "list")

    with pytest.raises(CannotDiscover, match="list: is not a regular file"):
        Places(lists=(tmp_path / "list",)).groups()


@pytest.fixture
def answer(tmp_path):
    """Return a function that asks a service with such places, and returns status and body."""

    def ask(places: Places) -> tuple[int, object]:
        service = Service(host_without(), tmp_path, loaders={}, settings=ExporterSettings())
        app = create_app(service, read_only=True, places=places)
        service.start()
        try:
            status, _, content = ask_now(app, "GET", "/api/v1/sd", headers={"host": "xen1:10031"})
        finally:
            service.close()
        return status, json.loads(content)

    return ask


def test_a_service_tells_of_itself_as_it_is_named(answer):
    assert (200, [group("xen1:10031")]) == answer(Places())


def test_a_broken_list_is_503_so_that_prometheus_keeps_its_targets(answer, tmp_path):
    assert 503 == answer(Places(lists=(tmp_path / "none",)))[0]
