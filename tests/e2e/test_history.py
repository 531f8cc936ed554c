"""A real service with a history: its contents, its reports, and its pushes."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
)

from tests.support.e2e.host import VMLINUX, XEN, Host
from tests.support.receiver import Receiver
from xenprof.history.slices import FOLDER, slices
from xenprof.wire.history import KeptHistory
from xenprof.wire.paths import HISTORY

EVENT = "GLOBAL_POWER_EVENTS:1000000:1"
START = f"opcontrol --start --vmlinux={VMLINUX} --xen={XEN} --event={EVENT}"


class Recorded(Host):
    """A host with the answers about its history while it ran."""

    said: KeptHistory
    scraped: str


def reported(host: Recorded, *options: str) -> int:
    """Return the samples of a report."""
    done = host.run(f"xenprof report --format json --by layer {' '.join(options)}")
    assert done.returncode == 0, done.stderr
    rows: list[Any] = json.loads(done.stdout)["rows"]
    return sum(row["self"][0] for row in rows)


@pytest.fixture(scope="module")
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Recorded:
    """Return a host that has stopped after some slices and a reset."""
    url = receiver.url
    host = Recorded(tmp_path_factory.mktemp("home"), "--history", "1s", "--push-url", url,
                "--push-otlp", url)  # fmt: skip
    try:
        assert host.run(START).returncode == 0
        host.wait(2.5)
        assert host.run("opcontrol --reset").returncode == 0
        host.wait(2.5)
        host.said = host.client.get(HISTORY, KeptHistory)
        with urllib.request.urlopen(f"{host.url}metrics") as answer:
            host.scraped = answer.read().decode()
        assert host.run("opcontrol --dump").returncode == 0
    finally:
        host.close()
    return host


def test_the_api_lists_the_slices_that_are_on_the_disk(host: Recorded):
    there = {each.path.name: each.bytes for each in slices(host.home / FOLDER)}
    listed = {row.name: row.bytes for row in host.said.files}

    assert listed.items() <= there.items()
    assert len(listed) >= 4


def test_the_metrics_tell_of_the_history(host: Recorded):
    lines = [line for line in host.scraped.splitlines() if line.startswith("xenprof_history_")]
    found = {line.partition("{")[0]: float(line.rpartition(" ")[2]) for line in lines}

    assert found["xenprof_history_slices"] >= 3
    assert found["xenprof_history_bytes"] > 0
    assert found["xenprof_history_dropped_slices_total"] == 0


def test_the_history_outlives_a_reset_and_misses_nothing_after_it(host: Recorded):
    """The session has only what came after the reset; the slices after it add up to that."""
    found = slices(host.home / FOLDER)
    totals = [sum(each.read().totals) for each in found]
    tails = [sum(totals[first:]) for first in range(len(totals))]

    assert host.stored("Domain-0") in tails[1:]


def test_slices_meet(host: Recorded):
    found = slices(host.home / FOLDER)

    assert [each.end_unix_ns for each in found[:-1]] == [each.start_unix_ns for each in found[1:]]


def test_a_report_of_all_has_all(host: Recorded):
    everything = sum(sum(each.read().totals) for each in slices(host.home / FOLDER))

    assert reported(host, "--since", "1h") == everything


def test_spans_that_meet_add_up(host: Recorded):
    early, late = reported(host, "--until", "2s"), reported(host, "--since", "2s")

    assert early + late == reported(host, "--since", "1h")


def test_a_domain_that_was_not_sampled_has_nothing(host: Recorded):
    done = host.run("xenprof report --since 1h --domain ossvm02")

    assert (done.returncode, done.stdout) == (1, "")
    assert "has no samples of ossvm02" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--since soon", "'soon' is no time"),
        ("--since 1h --domain nobody", "nobody"),
        ("--since 1h --session current", "--session and --since do not go together"),
        ("--since 3000-01-01", "--since 3000-01-01 is not before now"),
    ],
)
def test_what_cannot_be_reported_is_one_line(host: Recorded, options: str, message: str):
    done = host.run(f"xenprof report {options}")

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert message in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--push-url http://127.0.0.1:1", "give --history 10s too"),
        ("--history 10s --push-otlp http://h:99999", "a URL must begin with"),
        ("--history 100ms", "a slice is at least 1s"),
        ("--history 10s --history-size many", "is not a size"),
    ],
)
def test_what_cannot_be_kept_is_one_line(host: Recorded, options: str, message: str):
    done = host.run(f"xenprof serve {options}")

    assert done.returncode != 0
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_pyroscope_is_sent_every_slice(host: Recorded, receiver: Receiver):
    starts = [each.start_unix_ns // 10**9 for each in slices(host.home / FOLDER)]
    sent = [one.path for one in receiver.got if one.path.startswith("/ingest?")]

    assert [path.partition("from=")[2].partition("&")[0] for path in sent] == [
        str(start) for start in starts
    ]


def test_otlp_is_sent_every_sample(host: Recorded, receiver: Receiver):
    requests = [
        ExportProfilesServiceRequest.FromString(one.body)
        for one in receiver.got
        if one.path == "/v1development/profiles"
    ]
    total = sum(
        sum(sum(sample.values) for sample in profile.samples)
        for request in requests
        for resource in request.resource_profiles
        for scope in resource.scope_profiles
        for profile in scope.profiles
    )

    assert total == sum(sum(each.read().totals) for each in slices(host.home / FOLDER))


def test_dumps_of_the_history_can_be_replayed(host: Recorded):
    lines = Path(host.home / "commands.jsonl").read_text(encoding="utf-8").splitlines()
    dumps = [entry for line in lines if (entry := json.loads(line))["name"] == "opcontrol dump"]

    assert {entry["domain"] for entry in dumps} == {"Domain-0"}
    assert len(dumps) >= 4
