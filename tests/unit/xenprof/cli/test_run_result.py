import json
from dataclasses import replace

import pytest

from tests.support.snapshots import grumble
from xenprof.cli.run_result import as_json, as_text, never_ran

SNAPSHOT = grumble(10)


def told(xenoprof=SNAPSHOT.xenoprof):
    """Return the object as a reader of the output gets it."""
    return json.loads(json.dumps(as_json(SNAPSHOT, xenoprof)))


def test_the_object_has_the_promised_keys():
    result = told()
    domain = result["domains"][1]

    assert list(result) == ["time_seconds", "host", "domains", "xenoprof"]
    assert list(domain) == [
        "id", "name", "kind", "state", "cpu_seconds", "memory_kib", "target_kib",
        "vcpus", "vifs", "vbds", "workloads",
    ]  # fmt: skip
    assert list(domain["vcpus"][0]) == [
        "vcpu", "pcpu", "running_seconds", "runnable_seconds", "blocked_seconds", "offline_seconds", "capped_seconds",
    ]  # fmt: skip
    assert list(result["xenoprof"]) == [
        "total", "active", "passive", "others", "lost", "invalid", "corrupted",
    ]  # fmt: skip


def test_it_is_json_as_it_is():
    assert told() == as_json(SNAPSHOT, SNAPSHOT.xenoprof)


def test_only_a_disk_that_its_backend_counts_has_statistics():
    web = SNAPSHOT.domains[1]
    (counted,) = web.vbds
    tap = replace(counted, backend="tap:aio:/img", out_of_requests=None)
    host = replace(SNAPSHOT, domains=(replace(web, vbds=(counted, tap)),))

    domain = json.loads(json.dumps(as_json(host, None)))["domains"][0]
    assert [True, False] == [vbd["statistics"] for vbd in domain["vbds"]]


def test_what_a_host_without_a_profiler_would_count_is_unknown():
    assert set(told(None)["xenoprof"].values()) == {None}


def test_times_are_seconds():
    vcpu = told(None)["domains"][0]["vcpus"][0]

    assert (vcpu["running_seconds"], vcpu["runnable_seconds"]) == (3.0, 1.0)


def test_the_table_has_a_line_for_each_domain():
    lines = as_text(SNAPSHOT, None).splitlines()

    names = [domain.name for domain in SNAPSHOT.domains]
    assert [line.split()[0] for line in lines[3 : 3 + len(names)]] == names


def with_web(**changes):
    web = replace(SNAPSHOT.domains[1], **changes)
    return replace(SNAPSHOT, domains=(SNAPSHOT.domains[0], web))


def test_a_workload_that_has_done_nothing_is_told_with_the_reason():
    idle = {"kind": "cpu", "units": 0, "work_seconds": 0.0}
    name = SNAPSHOT.domains[1].name
    for changes, reason in (
        ({"oom_kills": 2}, "its kernel has killed processes"),
        ({"oom_kills": 0, "cpu_ns": 0}, "it has had no processor"),
        ({"oom_kills": 0, "cpu_ns": 5, "paused": True}, "it is paused"),
    ):
        (line,) = never_ran(with_web(workloads=(idle,), **changes))
        assert line.startswith(f"{name}: its workload 1 (cpu) has done nothing: {reason}")


QUIET = {"oom_kills": 0, "crashed": False, "shutdown": False, "paused": False, "cpu_ns": 0}
NOTHING = {"kind": "netperf", "bytes": 0, "messages": 0}


@pytest.mark.parametrize(
    ("workload", "changes", "reason"),
    [
        (NOTHING | {"hindered": "there is no domain 'b'"}, {}, "there is no domain 'b'"),
        ({"kind": "web", "hindered": "'a' has no interface"}, {}, "'a' has no interface"),
        (NOTHING, {"crashed": True}, "it has crashed"),
        (NOTHING, {"shutdown": True}, "it has shut down"),
        (NOTHING, {"vcpus": ()}, "it has slept all the time; what it waits for has not come yet"),
        (NOTHING, {"cpu_ns": 5, "vifs": (), "vbds": ()}, "it had no time for that"),
    ],
)
def test_the_reason_is_what_holds_the_workload(workload, changes, reason):
    name = SNAPSHOT.domains[1].name
    (line,) = never_ran(with_web(workloads=(workload,), **QUIET | changes))
    assert line == f"{name}: its workload 1 ({workload['kind']}) has done nothing: {reason}"


def test_where_there_are_no_weights_they_are_not_blamed():
    idle = with_web(workloads=(NOTHING,), **QUIET)
    (line,) = never_ran(replace(idle, scheduler="sedf"))
    assert line.endswith("it has had no processor; look at cpus, its slice and its neighbours'")


def test_workloads_that_have_done_something_or_have_nothing_to_do_are_not_told():
    busy = {"kind": "netperf", "bytes": 1, "messages": 0}
    assert never_ran(with_web(workloads=(busy, {"kind": "idle"}))) == []


def test_nobody_is_accused_in_the_first_second():
    idle = {"kind": "burst", "bursts": 0}
    assert never_ran(replace(with_web(workloads=(idle,)), time_ns=10**9 - 1)) == []
