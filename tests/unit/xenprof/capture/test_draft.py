import tomllib

import pytest

from xenprof.capture.draft import Draft, Owner, toml, toml_value

DRAFT = Draft(
    {"name": "xen0", "mhz": 2600, "support_limits": False},
    Owner({"vcpus": 1}),
    (Owner({"name": "web", "disk": ("phy:/dev/a,xvda,w",)}, ({"kind": "fileio"},), ("Domain 7",)),),
)


def test_a_draft_is_read_as_it_was_written():
    read = tomllib.loads(toml(["A head"], DRAFT, {1: ({"kind": "burst", "run_ms": 0.5},)}))

    assert {
        "host": {"name": "xen0", "mhz": 2600, "support_limits": False},
        "domain0": {"vcpus": 1},
        "domain": [
            {
                "name": "web",
                "disk": ["phy:/dev/a,xvda,w"],
                "workload": [{"kind": "fileio"}, {"kind": "burst", "run_ms": 0.5}],
            }
        ],
    } == read


def test_the_work_of_domain_0_stands_in_its_table():
    read = tomllib.loads(toml([], DRAFT, {0: ({"kind": "idle"},)}))

    assert [{"kind": "idle"}] == read["domain0"]["workload"]


def test_a_vcpu_that_is_not_pinned_has_an_empty_entry():
    draft = Draft({}, Owner({"cpus": ("0", "")}), ())

    assert 'cpus = ["0", ""]\n' in toml([], draft, {})


def test_comments_stand_before_their_table():
    assert "# Domain 7\n[[domain]]\n" in toml([], DRAFT, {})


def test_whole_numbers_stay_numbers_with_a_point_if_they_had_one():
    assert "run_ms = 20.0\n" in toml([], DRAFT, {1: ({"run_ms": 20.0},)})


@pytest.mark.parametrize(
    "value",
    [1234567.0, 1e22, True, '\x7f"\\ä', ("a", "b"), {"name": "sda", "on": [1, 2]}],
)
def test_a_value_is_read_as_it_was_written(value):
    [found] = tomllib.loads(f"a = {toml_value(value)}").values()
    assert found == (list(value) if isinstance(value, tuple) else value)
