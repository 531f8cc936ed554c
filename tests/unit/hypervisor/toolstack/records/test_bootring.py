import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.toolstack.records.bootring import MessageRing, banner, boot_messages, xen_lines
from tests.support.fake_hypervisor import MACHINE

USABLE = re.compile(r"\(XEN\)  ([0-9a-f]{16}) - ([0-9a-f]{16}) \(usable\)")


def boot(**changes: Any) -> list[str]:
    return boot_messages(replace(MACHINE, **changes), 4, 657 * 1024)


def test_a_ring_gives_back_its_lines():
    ring = MessageRing()
    ring.write(["one", "two"])
    assert "one\ntwo\n" == ring.text()


def test_a_full_ring_keeps_the_last_bytes():
    ring = MessageRing(10)
    ring.write(["abcdef", "ghijkl"])
    assert "ef\nghijkl\n" == ring.text()


def test_a_cleared_ring_is_empty():
    ring = MessageRing()
    ring.write(["one"])
    ring.clear()
    assert "" == ring.text()


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\n"), max_size=20))))
def test_a_ring_holds_the_end_of_all_that_was_written(writes):
    ring = MessageRing(64)
    for lines in writes:
        ring.write(lines)
    everything = "".join(f"{line}\n" for lines in writes for line in lines)
    tail = everything.encode(errors="replace")[-64:].decode(errors="replace")
    assert tail == ring.text()


def test_lines_of_xen_say_so():
    assert ["(XEN) a", "(XEN) b"] == xen_lines(["a", "b"])


def test_the_boot_of_the_default_host_fits_the_ring():
    ring = MessageRing()
    ring.write(boot())
    assert "\n".join(boot()) + "\n" == ring.text()


@pytest.mark.parametrize("text", ["Xen 3.0.3-rc5.el5", "Xen 3.1.0-53.el5"])
def test_a_banner_has_five_lines_that_fit_a_terminal(text):
    lines = banner(text)
    assert (5, True) == (len(lines), max(map(len, lines)) <= 80)


def test_a_banner_draws_an_l_as_two_strokes():
    assert ["", " |", " |", " |", " |"] == banner("l")


def test_the_banner_comes_first():
    assert banner("Xen 3.0.3-rc5.el5") == boot()[:5]


@pytest.mark.parametrize("memory_kib", [4095 * 1024 + 512, 64 * 1024, 512 * 1024, 64 << 20])
def test_the_usable_ranges_add_up_to_the_memory(memory_kib):
    ranges = [USABLE.match(line) for line in boot(memory_kib=memory_kib)]
    pages = sum((int(m[2], 16) >> 12) - (int(m[1], 16) + 4095 >> 12) for m in ranges if m)
    assert memory_kib == pages * 4


@pytest.mark.parametrize("memory_kib", [64 * 1024, 4 << 20, 64 << 20])
def test_the_ranges_of_the_map_do_not_overlap(memory_kib):
    rows = [re.match(r"\(XEN\)  (\w{16}) - (\w{16}) \(", line) for line in boot(memory_kib=memory_kib)]  # fmt: skip
    ends = [int(edge, 16) for row in rows if row for edge in row.groups()]
    assert sorted(ends) == ends


@pytest.mark.parametrize(
    "line",
    [
        "(XEN) Command line: /xen.gz-2.6.18-8.el5 dom0_mem=657M sched=credit",
        "(XEN) System RAM: 4095MB (4193792kB)",
        "(XEN) Using scheduler: SMP Credit Scheduler (credit)",
        "(XEN) Detected 3200.000 MHz processor.",
        "(XEN) Booting processor 3/3 eip 90000",
        "(XEN) Brought up 4 CPUs",
        "(XEN) Dom0 has maximum 4 VCPUs",
        "(XEN)  Dom0 alloc.:   0000000002000000->0000000004000000 (160000 pages to be allocated)",
    ],
)
def test_the_boot_tells_of_this_host(line):
    assert line in boot()


def test_fewer_vcpus_for_domain_0_stand_on_the_command_line():
    lines = boot_messages(MACHINE, 2, 1 << 20, "noreboot")
    expected = "(XEN) Command line: /xen.gz-2.6.18-8.el5 dom0_mem=1024M sched=credit dom0_max_vcpus=2 noreboot"
    assert expected == lines[11]


def test_one_pcpu_has_no_clocks_to_compare():
    lines = boot(sockets=1, threads_per_core=1)
    assert not any("TSC synchronization" in line for line in lines)


@pytest.mark.parametrize("pcpus", [1, 32])
@pytest.mark.parametrize("cpu_type", ["p4", "p4-ht", "core_2", "hammer"])
def test_every_processor_starts(cpu_type, pcpus):
    lines = boot(cpu_type=cpu_type, sockets=pcpus, threads_per_core=1)
    assert pcpus == sum(line.startswith("(XEN) Initializing CPU#") for line in lines)
