"""The state of a saved guest is checked when it is read."""

import json

import pytest

from hypervisor.errors import Refused
from hypervisor.model.linux.saved import SavedGuest, read_saved
from hypervisor.model.memory.saved import SavedPaging


def test_a_saved_guest_is_read_back_from_json():
    paging = SavedPaging(page_ins=1, page_outs=2, oom_kills=3, dead=[4])
    guest = SavedGuest(
        configured_kib=1024, workloads=[{"kind": "idle"}], results=[{}], paging=paging
    )
    assert guest == read_saved(json.loads(json.dumps(guest.state())))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, "configured_kib: field required"),
        ({"configured_kib": 0}, "configured_kib: input should be greater than 0"),
        (
            {"configured_kib": 1, "paging": {"dead": ["x"]}},
            "paging.dead.0: input should be a valid integer",
        ),
        ({"configured_kib": 1, "x": 1}, "x: extra inputs are not permitted"),
        (
            {"configured_kib": 1, "paging": {"x": 1}},
            "paging.x: extra inputs are not permitted",
        ),
    ],
)
def test_what_is_damaged_is_named(state, expected):
    with pytest.raises(Refused, match=f"^the saved guest cannot be used: {expected}; damaged[?]$"):
        read_saved(state)
