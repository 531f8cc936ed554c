import pytest

from hypervisor.model.cpu.sched.context import SchedContext
from hypervisor.model.cpu.sched.credit_accounting import (
    CREDIT_RULES,
    OVER,
    PARKED,
    UNDER,
    CreditAccounting,
    DomainRecord,
    VcpuRecord,
)
from hypervisor.model.cpu.sched.credit_counters import CreditCounters
from hypervisor.model.cpu.topology import Topology
from hypervisor.model.domain.domain import Pcpu, Vcpu
from hypervisor.model.timing.clock import Clock
from tests.support.model.hosts import bare_domain


class Book:
    """Accounting of `rules` with domains given as (weight, cap, vcpus), in walk order."""

    def __init__(self, rules, pcpus, *domains):
        self.calls: list[tuple[str, Vcpu]] = []  # what was done to a vcpu, and which one
        context = SchedContext(
            Clock(),
            Topology(1, pcpus, 1),
            [Pcpu(number) for number in range(pcpus)],
            decide=lambda: None,
            park=lambda vcpu: self.calls.append(("park", vcpu)),
            unpark=lambda vcpu: self.calls.append(("unpark", vcpu)),
        )
        self.rules = CREDIT_RULES[rules]
        self.counters = CreditCounters()
        self.accounting = CreditAccounting(context, self.rules, self.counters)
        self.domains = []
        for domid, (weight, cap, vcpus) in enumerate(domains, 1):
            subject = bare_domain(domid)
            domain = DomainRecord(subject, weight, cap)
            domain.vcpus = [
                VcpuRecord(Vcpu(subject, number, 0, 1), domain, 30) for number in range(vcpus)
            ]
            self.domains.append(domain)
        for domain in reversed(self.domains):  # activation inserts at the head
            for record in domain.vcpus:
                self.accounting.activate(record)

    def run(self):
        before = [[record.credit for record in domain.vcpus] for domain in self.domains]
        self.accounting.run()
        return [
            [record.credit - old for record, old in zip(domain.vcpus, credits, strict=True)]
            for domain, credits in zip(self.domains, before, strict=True)
        ]

    def credits(self):
        return [record.credit for domain in self.domains for record in domain.vcpus]


A, B, C, D = (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("rules", "pcpus", "domains", "expected"),
    [
        pytest.param(
            "3.1", 2, [(256, 0, 1), (512, 0, 2)], [[200], [200, 200]], id="nobody-at-peak"
        ),
        pytest.param(
            "3.1", 2, [(512, 0, 1), (256, 0, 2)], [[300], [150, 150]], id="surplus-is-pushed-on"
        ),
        pytest.param(
            "3.1", 2, [(256, 0, 2), (512, 0, 1)], [[100, 100], [300]], id="surplus-comes-too-late"
        ),
        pytest.param("3.1", 1, [(256, 50, 1), (256, 0, 1)], [[150], [150]], id="cap-is-fair"),
        pytest.param("3.1", 1, [(256, 25, 1), (256, 0, 1)], [[75], [225]], id="cap-below-fair"),
        pytest.param(
            "3.0.3",
            1,
            [(256, 0, 1), (256, 0, 1), (512, 0, 1)],
            [[8], [8], [15]],
            id="rounding-mints-a-credit",
        ),
        pytest.param("3.0.3", 1, [(256, 25, 1)], [[8]], id="cap-25-is-8-of-30"),
        pytest.param("3.0.3", 1, [(256, 1, 1)], [[1]], id="cap-1-is-1-of-30"),
        pytest.param("3.0.3", 2, [(256, 150, 2)], [[23, 23]], id="cap-150-of-two-vcpus"),
    ],
)
def test_one_period_grants(rules, pcpus, domains, expected):
    book = Book(rules, pcpus, *domains)
    for domain in book.domains:
        for record in domain.vcpus:
            record.credit = -1  # so that no vcpu leaves the list
    assert expected == book.run()


def test_a_domain_with_late_surplus_goes_first_in_the_next_period():
    book = Book("3.1", 2, (256, 0, 2), (512, 0, 1))
    for record in book.domains[A].vcpus + book.domains[B].vcpus:
        record.credit = -300
    book.run()
    for record in book.domains[A].vcpus + book.domains[B].vcpus:
        record.credit = -100
    book.accounting.balance = 0
    assert book.run() == [[150, 150], [300]]
    assert book.counters.acct_reorder == 1


def test_a_negative_balance_grows_the_total_and_the_peak():
    book = Book("3.1", 1, (256, 0, 1), (256, 0, 1))
    book.accounting.balance = -40
    expected = [[170], [170]]
    assert expected == book.run()
    assert book.counters.acct_balance == 1


def test_a_negative_balance_raises_what_a_single_vcpu_may_take():
    book = Book("3.1", 2, (256, 0, 1))
    book.domains[A].vcpus[0].credit = -300
    book.accounting.balance = -40
    expected = [[340]]
    assert expected == book.run()


def test_who_becomes_active_goes_to_the_head_of_its_lists():
    book = Book("3.1", 1, (256, 0, 1), (256, 0, 3))
    first, second, third = book.domains[B].vcpus
    assert [third, second, first] == book.domains[B].active
    newcomer = book.domains[A].vcpus[0]
    book.accounting.deactivate(newcomer)
    book.accounting.activate(newcomer)
    assert [book.domains[A], book.domains[B]] == book.accounting.active


def test_the_balance_is_the_sum_of_credits_after_the_run():
    book = Book("3.0.3", 1, (256, 0, 1), (256, 0, 1))
    book.domains[A].vcpus[0].credit = -25
    book.run()
    assert sum(book.credits()) == book.accounting.balance


def test_a_vcpu_that_slept_through_a_period_stops_earning_and_weighing():
    book = Book("3.1", 1, (256, 0, 1), (256, 0, 1))
    sleeper = book.domains[A].vcpus[0]
    sleeper.credit = 290
    book.run()
    expected = (0, False, 256)
    assert expected == (sleeper.credit, sleeper.is_active, book.accounting.weight)


@pytest.mark.parametrize(("rules", "bound"), [("3.0.3", 30), ("3.1", 300)])
def test_credit_of_exactly_one_slice_stays_active(rules, bound):
    book = Book(rules, 1, (256, 0, 1))
    book.run()
    record = book.domains[A].vcpus[0]
    assert (bound, True) == (record.credit, record.is_active)


@pytest.mark.parametrize(("rules", "bound"), [("3.0.3", 30), ("3.1", 300)])
def test_debt_is_bounded_by_one_slice(rules, bound):
    book = Book(rules, 1, (256, 0, 1))
    book.domains[A].vcpus[0].credit = -10 * bound
    book.run()
    assert [-bound] == book.credits()
    assert book.counters.acct_min_credit == 1


@pytest.mark.parametrize("rules", ["3.0.3", "3.1"])
def test_nobody_active_clears_the_balance(rules):
    book = Book(rules, 1)
    book.accounting.balance = -7
    book.run()
    assert (book.accounting.balance, book.counters.acct_no_work) == (0, 1)


@pytest.mark.parametrize(
    ("rules", "cap", "credit", "expected"),
    [
        ("3.0.3", 0, -29, UNDER),
        ("3.0.3", 0, -31, OVER),
        ("3.0.3", 25, -9, PARKED),
        ("3.1", 0, -299, UNDER),
        ("3.1", 0, -301, OVER),
        ("3.1", 25, -76, OVER),
    ],
)
def test_priority_after_a_period_alone_on_a_pcpu(rules, cap, credit, expected):
    book = Book(rules, 1, (256, cap, 1))
    book.domains[A].vcpus[0].credit = credit
    book.run()
    assert expected == book.domains[A].vcpus[0].priority


def test_3_1_parks_beyond_a_period_of_cap_credit_and_unparks_at_zero():
    book = Book("3.1", 1, (256, 25, 1))
    record = book.domains[A].vcpus[0]
    record.credit = -150  # -75 after the grant: exactly at the threshold
    book.run()
    assert book.calls == []
    record.credit = -300
    seen = []
    for _ in range(4):
        book.run()
        seen.append((record.credit, record.is_parked))
    assert seen == [(-225, True), (-150, True), (-75, True), (0, False)]
    assert [call for call, _ in book.calls] == ["park", "unpark"]


def test_3_1_spreads_the_cap_over_the_active_vcpus():
    book = Book("3.1", 2, (256, 50, 2))
    for record in book.domains[A].vcpus:
        record.credit = -151  # -76 after the grant of 75; the threshold is 75 for each
    book.run()
    assert all(record.is_parked for record in book.domains[A].vcpus)


def test_a_changed_weight_of_an_active_domain_counts_at_once():
    book = Book("3.1", 1, (256, 0, 1), (256, 0, 1))
    book.accounting.set_weight(book.domains[A], 512)
    expected = 768
    assert expected == book.accounting.weight


def test_an_inactive_domain_weighs_nothing_whatever_its_weight():
    book = Book("3.1", 1, (256, 0, 1), (256, 0, 1))
    book.accounting.deactivate(book.domains[A].vcpus[0])
    book.accounting.set_weight(book.domains[A], 1000)
    expected = 256
    assert expected == book.accounting.weight
