import asyncio
import json
import threading
from dataclasses import replace

import pytest

from tests.support.service_fakes import ask
from tests.support.snapshots import grumble
from xenprof.service.app import create_app
from xenprof.service.hostnames import AllowedHosts
from xenprof.service.snapshot_texts import SnapshotTexts
from xenprof.wire.codec import encode


@pytest.fixture
def snapshot():
    return grumble()


@pytest.fixture
def threads(monkeypatch):
    """The threads that have encoded something."""
    threads: list[str] = []

    def encode_and_note(value):
        threads.append(threading.current_thread().name)
        return encode(value)

    monkeypatch.setattr("xenprof.service.snapshot_texts.encode", encode_and_note)
    return threads


def asked(*snapshots):
    """Return the texts of snapshots for which clients ask at the same time."""

    async def run():
        texts = SnapshotTexts()
        return await asyncio.gather(*map(texts.text, snapshots))

    return asyncio.run(run())


def test_a_snapshot_is_encoded_once_for_all_who_ask(snapshot, threads):
    asked(snapshot, snapshot, snapshot)

    assert threads == ["snapshot_0"]


def test_a_snapshot_that_comes_later_is_encoded_anew(snapshot, threads):
    later = replace(snapshot, generation=snapshot.generation + 1)
    texts = asked(snapshot, later)

    assert [json.loads(text)["generation"] for text in texts] == [
        snapshot.generation,
        snapshot.generation + 1,
    ]


def test_hosts_do_not_displace_each_other(snapshot, threads):
    other = replace(snapshot, host="other")
    asked(snapshot, other, snapshot, other)

    assert len(threads) == 2


def test_who_leaves_does_not_take_it_from_others(snapshot):
    async def run():
        texts = SnapshotTexts()
        leaving, staying = (asyncio.create_task(texts.text(snapshot)) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert json.loads(asyncio.run(run()))["host"] == snapshot.host


@pytest.mark.parametrize(
    ("hosts", "told"), [(None, "no such key: /root/.ssh/id"), (AllowedHosts.of(["a"], ()), None)]
)
def test_why_a_host_cannot_be_read_is_for_local_programs_only(service, monkeypatch, hosts, told):
    reason = "no such key: /root/.ssh/id"
    lost = replace(service.snapshot(), is_up=False, unread_because=reason)
    monkeypatch.setattr(service, "snapshots", lambda: [lost])
    app = create_app(service, read_only=hosts is not None, allowed_hosts=hosts)
    _, _, body = asyncio.run(ask(app, "GET", "/api/v1/snapshot", headers={"host": "a"}))

    assert told == json.loads(body)["unread_because"]


def test_the_api_answers_with_it(app, threads):
    async def run():
        return await asyncio.gather(*(ask(app, "GET", "/api/v1/snapshot") for _ in range(3)))

    assert {status for status, _, _ in asyncio.run(run())} == {200}
    assert set(threads) == {"snapshot_0"}
