"""Which services Prometheus is told of."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_host import host_without
from tests.support.service_fakes import ask_now
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
    ["a", "a:x", "a:99999", "ftp://a:1", "http://u:p@a:1", "a:1?x=1", ":1", "a b:1", "http://a"],
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


def test_services_are_found_by_their_homes(tmp_path):
    (tmp_path / "stopped").mkdir()
    (tmp_path / "a file").write_text("")
    lock = HomeLock(tmp_path / "running")
    lock.note_url("http://127.0.0.1:4711/")
    try:
        assert [group("127.0.0.1:4711")] == Places(homes=(tmp_path,)).groups()
    finally:
        lock.release()


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
