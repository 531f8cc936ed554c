"""The cost tables: what they refuse, and the published sums that they are fitted to.

The sums guard the fit against edits of single rows. They are no validation: the rows were
chosen to give them.
"""

from collections.abc import Mapping

import pytest

from hypervisor.model.codebook.book import CodeBook, Kind
from hypervisor.model.codebook.costs import Costs, CostTableError
from hypervisor.model.codebook.images import Images, SymbolTableError
from hypervisor.telemetry import Mode

GHZ = 2.4  # clocks of the machines that Barham and Menon measured


@pytest.fixture(scope="module")
def book() -> CodeBook:
    return CodeBook("p4", "i386")  # as all that was measured


@pytest.fixture(scope="module")
def images() -> Images:
    return Images()


# ---------------------------------------------------------------- published sums

EIGHTH = 1 / 8  # batches per packet; an assumption about a busy host, part of the fit
ACK = 1 / 2  # acknowledgements per packet
RECEIVE_DOM0 = {
    "nic_interrupt": EIGHTH,
    "nic_receive_packet": 1,
    "bridge_packet": 1 + ACK,
    "netback_receive_batch": EIGHTH,
    "netback_receive_packet_flip": 1,
    "netback_transmit_packet": ACK,
    "nic_transmit_packet": ACK,
    "evtchn_send": EIGHTH,
    "context_switch": EIGHTH,
    "cold_cache": EIGHTH,
}
RECEIVE_GUEST = {
    "context_switch": EIGHTH,
    "cold_cache": EIGHTH,
    "evtchn_upcall": EIGHTH,
    "netfront_receive_batch": EIGHTH,
    "netfront_flip_batch": EIGHTH,
    "netfront_receive_packet": 1,
    "tcp_receive_segment": 1,
    "tcp_send_ack": ACK,
    "netfront_transmit_packet": ACK,
    "netfront_flip_page": 1,
    "copy_to_user_kib": 1.41,
    "socket_receive_message": EIGHTH,
    "netserver_message": EIGHTH,
    "guest_switch": EIGHTH,
    "guest_idle": EIGHTH,
}
TRANSMIT_DOM0 = {
    "nic_interrupt": EIGHTH,
    "nic_transmit_packet": 1,
    "nic_receive_packet": ACK,
    "bridge_packet": 1 + ACK,
    "netback_receive_packet_flip": ACK,
    "netback_transmit_batch": EIGHTH,
    "netback_transmit_packet": 1,
    "evtchn_send": EIGHTH,
    "evtchn_upcall": EIGHTH,
    "context_switch": EIGHTH,
    "cold_cache": EIGHTH,
}
TRANSMIT_GUEST = {
    "context_switch": EIGHTH,
    "cold_cache": EIGHTH,
    "evtchn_upcall": EIGHTH,
    "evtchn_send": EIGHTH,
    "netfront_transmit_batch": EIGHTH,
    "tcp_send_packet": 1,
    "netfront_transmit_packet": 1,
    "netfront_receive_packet": ACK,
    "netfront_flip_page": ACK,
    "tcp_receive_ack": ACK,
    "copy_from_user_kib": 1.41,
    "socket_send_message": EIGHTH,
    "netperf_message": EIGHTH,
    "guest_switch": EIGHTH,
    "guest_idle": EIGHTH,
}
RECEIVE_NATIVE = {
    "nic_interrupt": EIGHTH,
    "nic_receive_packet": 1,
    "tcp_receive_segment": 1,
    "tcp_send_ack": ACK,
    "nic_transmit_packet": ACK,
    "copy_to_user_kib": 1.41,
    "socket_receive_message": EIGHTH,
    "netserver_message": EIGHTH,
    "guest_switch": EIGHTH,
}


def by_mode(book: CodeBook, counts: Mapping[str, float]) -> list[float]:
    modes = [book.paths[book.index[name]].by_mode for name in counts]
    return [
        sum(count * row[mode] for count, row in zip(counts.values(), modes, strict=True))
        for mode in Mode
    ]


def instructions(book: CodeBook, counts: Mapping[str, float]) -> float:
    return sum(
        count
        * book.paths[book.index[name]].by_mode[mode]
        * book.sampling.rate(book.index[name], mode, 1)
        for name, count in counts.items()
        for mode in Mode
    )


def split(book: CodeBook, dom0: Mapping[str, float], guest: Mapping[str, float]) -> list[float]:
    """Return the cycles per packet of hypervisor, driver domain and guest."""
    in_dom0, in_guest = by_mode(book, dom0), by_mode(book, guest)
    hypervisor = in_dom0[Mode.HYPERVISOR] + in_guest[Mode.HYPERVISOR]
    return [hypervisor, sum(in_dom0[:2]), sum(in_guest[:2])]


def test_a_packet_received_natively_costs_12000_cycles(book: CodeBook) -> None:
    assert sum(by_mode(book, RECEIVE_NATIVE)) == pytest.approx(12_000, rel=0.2)


def test_a_packet_received_by_a_guest_costs_34000_cycles(book: CodeBook) -> None:
    assert sum(split(book, RECEIVE_DOM0, RECEIVE_GUEST)) == pytest.approx(34_000, rel=0.2)


def test_a_received_packet_is_split_as_cdna_measured(book: CodeBook) -> None:
    shares = split(book, RECEIVE_DOM0, RECEIVE_GUEST)
    # 5 % of the measured time was idle
    assert [95 * s / sum(shares) for s in shares] == pytest.approx([26, 37, 32], abs=6)


def test_a_sent_packet_is_split_as_cdna_measured(book: CodeBook) -> None:
    shares = split(book, TRANSMIT_DOM0, TRANSMIT_GUEST)
    # 3 % of the measured time was idle
    assert [97 * s / sum(shares) for s in shares] == pytest.approx([20, 36, 41], abs=6)


def test_a_guest_needs_about_twice_and_a_half_the_native_instructions(book: CodeBook) -> None:
    guest = instructions(book, RECEIVE_DOM0) + instructions(book, RECEIVE_GUEST)
    assert 2.0 < guest / instructions(book, RECEIVE_NATIVE) < 2.7


@pytest.mark.parametrize(
    ("path", "microseconds"), [("syscall", 0.46), ("page_fault", 2.73), ("guest_switch", 1.97)]
)
def test_lmbench_under_xen(book: CodeBook, path: str, microseconds: float) -> None:
    cycles = book.cycles[book.index[path]]
    assert cycles / (GHZ * 1000) == pytest.approx(microseconds, rel=0.05)


@pytest.mark.parametrize(
    ("paths", "microseconds"),
    [
        ({"fork": 1}, 198),
        ({"fork": 1, "exec": 1}, 768),
        ({"fork": 2, "exec": 2, "shell": 1}, 4800),
    ],
)
def test_processes_are_as_much_slower_under_xen_as_was_measured(
    book: CodeBook, paths: Mapping[str, int], microseconds: float
) -> None:
    """Predicted: the kernel's own part is fitted, faults and page tables are counted."""
    cycles = sum(book.cycles[book.index[path]] * count for path, count in paths.items())
    assert cycles / (GHZ * 1000) == pytest.approx(microseconds, rel=0.2)


def test_a_64_bit_system_call_costs_a_third_to_two_thirds_of_a_microsecond_more() -> None:
    """Xen swaps the page table of the program for that of the kernel, and back."""
    cycles = [CodeBook("p4-ht", arch) for arch in ("x86_64", "i386")]
    wide, narrow = (one.cycles[one.index["syscall"]] for one in cycles)
    assert 0.3 < (wide - narrow) / 3200 < 0.6


@pytest.mark.parametrize(("path", "extra_cycles"), [("page_fault", 3100), ("guest_switch", 2900)])
def test_what_xen_adds_is_spent_in_xen(book: CodeBook, path: str, extra_cycles: int) -> None:
    hypervisor = book.paths[book.index[path]].by_mode[Mode.HYPERVISOR]
    assert hypervisor == pytest.approx(extra_cycles, rel=0.05)


def test_a_sixth_of_a_shells_time_is_xens(book: CodeBook) -> None:
    path = book.paths[book.index["hotplug_script"]]
    assert path.by_mode[Mode.HYPERVISOR] / 1000 == pytest.approx(0.8 / 4.8, abs=0.005)


def test_a_sample_costs_two_to_six_thousand_cycles(book: CodeBook) -> None:
    paths = ("oprofile_sample", "oprofile_virq", "oprofile_sync_sample", "oprofiled_sample")
    assert 2000 < sum(book.cycles[book.index[path]] for path in paths) < 6000


def test_compute_of_a_guest_is_nearly_all_its_own(book: CodeBook) -> None:
    path = book.paths[book.index["linpack_compute"]]
    assert path.by_mode[Mode.USER] > 990


def test_a_web_server_spends_a_tenth_to_a_seventh_in_xen(book: CodeBook) -> None:
    path = book.paths[book.index["httpd_compute"]]
    assert 100 <= path.by_mode[Mode.HYPERVISOR] <= 150


@pytest.mark.parametrize("cpu", ["core_2", "hammer"])
def test_traps_are_two_to_three_times_cheaper_than_on_p4(book: CodeBook, cpu: str) -> None:
    other = CodeBook(cpu, "i386")
    syscall = book.index["syscall"]
    assert 1.8 < book.cycles[syscall] / other.cycles[syscall] < 3


def test_compute_retires_the_most_instructions_a_cycle(book: CodeBook) -> None:
    rates = book.sampling.rates_q20[:, :, Kind.INSTRUCTIONS]
    fastest = divmod(int(rates.argmax()), len(Mode))
    assert (book.index["aim7_arithmetic"], Mode.USER) == fastest


# ---------------------------------------------------------------- what the reader refuses

COSTS = """
[class.trap]
judgement = "j"
instructions = 100
uops = 1
branches = 1
branches_taken = 1
branch_misses = 1
l1d_references = 1
l1d_misses = 1
l1i_misses = 1
l2_references = 1
l2_misses = 0.5
dtlb_misses = 1
itlb_references = 1
itlb_misses = 1
bus_transactions = 1
floating_point = 1
machine_clears = 1
[cpu.p4]
check_ctrs = "p4_check_ctrs"
judgement = "j"
cycles = { trap = 100 }
events = {}
[op.enter]
image = "xen"
class = "trap"
cycles = 10
symbols = { syscall_enter = 1 }
source = "s"
[path.call]
unit = "one call"
ops = { enter = 1.5 }
"""


def test_the_packaged_tables_give_a_reason_for_each_op(images: Images) -> None:
    assert [op.name for op in Costs(images.by_key).ops.values() if len(op.why) < 8] == []


def test_a_small_table_is_accepted(images: Images) -> None:
    assert list(Costs(images.by_key, COSTS).paths) == ["call"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('source = "s"', "", r"\[op.enter\] needs either a source or a judgement"),
        ('source = "s"', 'source = "s"\njudgement = "j"', "either a source or a judgement"),
        ("syscall_enter = 1", "syscal = 1", "no function syscal in /usr/lib/debug/boot/xen-syms"),
        ("syscall_enter = 1", "syscall_enter = 0", "part of syscall_enter must be 1 or more"),
        ("syscall_enter = 1", "", r"\[op.enter\] needs symbols"),
        ("cycles = 10\n", "cycles = -1\n", "1 or more cycles"),
        ('"xen"', '"kvm"', "unknown image 'kvm'"),
        ('class = "trap"', 'class = "trp"', "class 'trp' is not one of trap"),
        ("enter = 1.5", "leave = 1", r"\[path.call\]: unknown op 'leave'"),
        ("enter = 1.5", "enter = -1", "count of enter must be positive"),
        ('unit = "one call"', "", r"\[path.call\] lacks unit"),
        ('unit = "one call"', 'unit = "u"\nprogram = "httpx"', "no program 'httpx'"),
        ('image = "xen"\nclass', 'image = "xen"\nklass', "unknown key klass|lacks class"),
        ("uops = 1", "", r"\[class.trap\] lacks uops"),
        ("uops = 1", "uops = -1", "negative rate"),
        ("{ trap = 100 }", "{}", r"\[cpu.p4\] cycles must name each class once"),
        ("events = {}", "events = { misses = 1 }", "unknown kind misses"),
        (
            "[path.call]",
            "[path.other]\nunit = 'u'\nops = {}\n[path.call]",
            r"\[path.other\] needs ops",
        ),
    ],
)
def test_a_bad_cost_table_is_refused(images: Images, old: str, new: str, message: str) -> None:
    assert old in COSTS
    with pytest.raises(CostTableError, match=message):
        Costs(images.by_key, COSTS.replace(old, new, 1))


def test_an_op_that_no_path_uses_is_refused(images: Images) -> None:
    more = COSTS + '[op.spare]\nimage="xen"\nclass="trap"\ncycles=1\nsymbols={nmi=1}\nsource="s"'
    with pytest.raises(CostTableError, match="no path uses op spare"):
        Costs(images.by_key, more)


def test_user_code_needs_a_program_that_maps_it(images: Images) -> None:
    text = COSTS.replace('"xen"', '"libpython"').replace("syscall_enter", "PyObject_Call")
    with pytest.raises(CostTableError, match=r"libpython2.4.so.1.0 is not mapped by its program"):
        Costs(images.by_key, text)


SYMBOLS = """
mtime = 1
[[image]]
key = "libc"
path = "/lib64/libc-2.5.so"
kind = "library"
address = 0x1000
roles = ["guest"]
symbols = "read write"
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("read write", "read read", "image 'libc': read is listed twice"),
        ('"library"', '"lib"', "kind 'lib' is not one of hypervisor, kernel"),
        ("address = 0x1000", "", "image 'libc' lacks address"),
        ("symbols", 'libraries = ["m"]\nsymbols', "'m' in libraries is no library"),
    ],
)
def test_a_bad_symbol_table_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(SymbolTableError, match=message):
        Images(SYMBOLS.replace(old, new, 1))


def test_images_of_one_address_space_must_not_overlap() -> None:
    second = SYMBOLS.partition("[[image]]")[2].replace('"libc"', '"libm"')
    with pytest.raises(SymbolTableError, match="images 'libc' and 'libm' overlap"):
        Images(SYMBOLS + "[[image]]" + second)
