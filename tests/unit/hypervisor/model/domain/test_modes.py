from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.domain.modes import user_kernel_ns

CYCLES = st.integers(0, 1_000_000)
NS = st.integers(0, 10**12)


def divided(spent_ns, user, kernel, xen):
    user_ns, kernel_ns = user_kernel_ns(spent_ns, (user, kernel, user + kernel + xen))
    return user_ns, kernel_ns, spent_ns - user_ns - kernel_ns


@given(NS, st.integers(0, 100), CYCLES, CYCLES, CYCLES.map(lambda xen: xen + 1))
def test_no_mode_has_less_when_more_is_spent(spent_ns, more_ns, user, kernel, xen):
    before = divided(spent_ns, user, kernel, xen)
    after = divided(spent_ns + more_ns, user, kernel, xen)

    assert all(old <= new for old, new in zip(before, after, strict=True))


@given(NS, CYCLES, CYCLES, CYCLES.map(lambda xen: xen + 1))
def test_each_mode_has_its_part_but_for_two_nanoseconds(spent_ns, user, kernel, xen):
    total = user + kernel + xen
    found = divided(spent_ns, user, kernel, xen)

    assert all(
        abs(mode_ns * total - spent_ns * cycles) <= 2 * total
        for mode_ns, cycles in zip(found, (user, kernel, xen), strict=True)
    )


def test_a_path_that_is_all_of_the_user_is_user_time():
    assert (7, 0, 0) == divided(7, 5, 0, 0)
