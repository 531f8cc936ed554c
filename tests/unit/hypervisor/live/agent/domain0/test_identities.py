from hypervisor.live.agent.domain0.identities import Identities
from hypervisor.live.agent.xen.records import DomainInfo
from tests.support.live.fakes import SECOND, FakeStore


class Slow:
    """Domains whose xenstore answers so many questions in half of a poll's time, and no more."""

    def __init__(self, domains, answers):
        self.pages = dict.fromkeys(range(1, domains + 1), 7)
        self.store = FakeStore(patience=2 * answers)
        for domid in self.pages:
            self.store.values[f"/local/domain/{domid}/name"] = f"d{domid}"
            self.store.values[f"/local/domain/{domid}/memory/target"] = "1"
        self.identities = Identities(self.store)

    def poll(self, seconds):
        """Return names and targets of all domains in a poll at this time."""
        self.store.begin()
        infos = [
            DomainInfo(domid, 0, pages, 9, 0, 0, 1, 0, 0, "u", 0, 0)
            for domid, pages in self.pages.items()
        ]
        self.identities.begin(infos, seconds * SECOND)
        return [self.identities.of((domid, "u")) for domid in self.pages]


def targets(found):
    return [one.target_kib for one in found]


def test_a_slow_xenstore_is_read_over_several_polls():
    slow = Slow(domains=6, answers=8)

    names = [[one.name for one in slow.poll(seconds)] for seconds in (1, 2, 3)]

    assert [
        ["d1", "d2", None, None, None, None],
        ["d1", "d2", "d3", "d4", None, None],
        ["d1", "d2", "d3", "d4", "d5", "d6"],
    ] == names


def test_what_was_not_read_is_a_problem():
    slow = Slow(domains=6, answers=8)
    slow.poll(1)

    assert "it is slow: 4 domains are told as before" == slow.identities.problem


def test_domains_that_all_change_their_memory_are_read_in_turn():
    slow = Slow(domains=4, answers=100)
    slow.poll(1)
    slow.store.patience = 4  # two in half of the time
    for domid in slow.pages:
        slow.pages[domid] = 8
        slow.store.values[f"/local/domain/{domid}/memory/target"] = "2"

    assert [[2, 2, 1, 1], [2, 2, 2, 2]] == [targets(slow.poll(2)), targets(slow.poll(3))]


def test_a_domain_that_changes_its_memory_has_its_target_read_and_nothing_else():
    slow = Slow(domains=1, answers=100)
    slow.poll(1)
    slow.pages[1] = 8
    slow.poll(2)

    assert ["/local/domain/1/memory/target"] == slow.store.asked


def test_names_are_read_again_though_many_domains_change_their_memory_in_each_poll():
    slow = Slow(domains=8, answers=100)
    slow.poll(1)
    slow.store.patience = 16  # two domains whole, or the targets of eight
    slow.store.values["/local/domain/8/name"] = "new"
    for seconds in range(40, 50):
        slow.pages = {domid: seconds for domid in slow.pages}
        found = slow.poll(seconds)

    assert "new" == found[7].name
