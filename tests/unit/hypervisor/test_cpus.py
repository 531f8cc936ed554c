import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.cpus import affinity_text, format_cpus, parse_cpus
from hypervisor.errors import HostError


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("0", (0,)),
        ("0-3", (0, 1, 2, 3)),
        ("0-3,^1", (0, 2, 3)),
        ("^1,0-3", (0, 1, 2, 3)),
        ("3, 1", (1, 3)),
        ("1,^1", ()),
        ("3-1", ()),
    ],
)
def test_a_list_of_cpus_is_read_left_to_right(text, cpus):
    assert cpus == parse_cpus(text)


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "^", "^0-1", "1;2", "0-99999999999", "٣"])
def test_anything_else_is_refused(text):
    with pytest.raises(HostError, match="is not a list of CPUs"):
        parse_cpus(text)


@given(st.sets(st.integers(0, 1023), min_size=1))
def test_formatting_and_reading_give_the_same_cpus(cpus):
    assert tuple(sorted(cpus)) == parse_cpus(format_cpus(cpus))


@pytest.mark.parametrize(
    ("affinity", "text"),
    [
        (None, "-"),
        ((), "no cpus"),
        ((0, 1, 2, 3), "any cpu"),
        ((1, 2), "1-2"),
        ((0, 2, 3), "0,2-3"),
        ((4, 5), "0-1"),  # folded modulo 4
        (range(64), "any cpu"),
    ],
)
def test_affinity_on_four_pcpus_reads_as_vcpu_list_prints_it(affinity, text):
    assert text == affinity_text(affinity, 4)
