"""The table of places on a domain's first disk."""

from itertools import pairwise

import pytest

from hypervisor.model.workloads.aim7.mixes import MIXES
from hypervisor.model.workloads.places import AIM7, BUILD, IOZONE, JOURNAL
from hypervisor.toolstack.config.devices import DISK_SECTORS
from tests.support.model.hosts import domain, make_host

DISK_PAGES = DISK_SECTORS // 8


def test_no_page_of_the_cache_is_of_two_files():
    places = sorted([AIM7, BUILD, IOZONE, JOURNAL])
    gaps = [after.first - (one.first + one.pages) for one, after in pairwise(places)]
    assert min(gaps) >= 0


def test_all_lie_on_the_disk():
    assert max(one.first + one.pages for one in (AIM7, BUILD, IOZONE, JOURNAL)) <= DISK_PAGES


@pytest.mark.parametrize(("mix", "users"), [("fserver", 1000), ("dbase", 1000), ("fserver", 1)])
def test_files_of_many_users_stay_in_their_place(mix, users):
    workload = {"kind": "aim7", "mix": mix, "users": users}
    host = make_host(domain("a", workload, memory_mib=256))
    (aim7,) = host.hypercalls.residents[1].programs.running
    pages = MIXES[mix].file_bytes(users) // 4096
    firsts = [user._file.first_page for user in aim7._users]  # type: ignore[attr-defined]
    assert AIM7.first <= min(firsts)
    assert max(firsts) + pages <= AIM7.first + AIM7.pages
