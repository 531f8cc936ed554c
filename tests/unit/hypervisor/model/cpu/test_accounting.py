"""What a vcpu owes."""

from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.cpu.accounting import DEBT_PARTS, add_debt
from tests.support.model.hosts import domain, make_host

PARTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2**40)), max_size=12)


def idle_vcpu():
    vcpu = make_host(domain("a")).hypercalls.residents[1].domain.vcpus[0]
    vcpu.debt, vcpu.debt_q = [], 0
    return vcpu


@given(st.lists(PARTS, max_size=60))
def test_it_is_all_owed_and_in_a_list_that_stays_short(many):
    vcpu = idle_vcpu()
    for parts in many:
        add_debt(vcpu, parts)
    due = dict.fromkeys(range(10), 0)
    owed = dict(due)
    for path, cycles_q in (one for parts in many for one in parts):
        due[path] += cycles_q
    for path, cycles_q in vcpu.debt:
        owed[path] += cycles_q
    assert (due, sum(due.values())) == (owed, vcpu.debt_q)
    assert len(vcpu.debt) <= DEBT_PARTS
