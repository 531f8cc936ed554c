"""The code book: images of a domain, rates of events, and the places of samples."""

import hashlib
import io
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from hypervisor.domainfile import DomainFile
from hypervisor.host import Mapped
from hypervisor.model.codebook.book import CodeBook, Kind
from hypervisor.model.codebook.costs import Costs
from hypervisor.model.codebook.images import Images, Role
from hypervisor.telemetry import Mode

ROLES: tuple[Role, ...] = ("dom0", "guest")
XEN = "/usr/lib/debug/boot/xen-syms-2.6.18-8.el5.debug"
VMLINUX = "/usr/lib/debug/lib/modules/2.6.18-8.el5xen/vmlinux"

EXECUTED = """
context_switch cold_cache timer_tick guest_idle guest_switch evtchn_upcall evtchn_send set_timer
ipi page_fault syscall nic_interrupt nic_receive_packet nic_transmit_packet bridge_packet
netback_receive_batch netback_receive_packet_flip netback_receive_packet_copy
netback_transmit_batch netback_transmit_packet netfront_receive_batch netfront_receive_packet
netfront_transmit_batch netfront_transmit_packet tcp_send_packet tcp_receive_segment tcp_send_ack
socket_receive_message socket_send_message copy_to_user_kib copy_from_user_kib netserver_message
netperf_message netloop_packet netloop_copy_page netloop_copy_kib tcp_receive_ack iozone_request
file_read_request file_write_request page_cache_kib blkfront_request blkfront_segment
blkfront_complete blkfront_interrupt blkback_interrupt blkback_request blkback_segment
blkback_complete blktap_request loop_request disk_submit disk_interrupt oprofile_sample
oprofile_virq oprofile_sync_sample oprofiled_sample oprofiled_wakeup linpack_compute httpd_compute
mysqld_compute background_dom0 hotplug_script init_scripts domain_build save_page restore_page
dump_page background_xenstored
"""


@pytest.fixture(scope="module")
def book() -> CodeBook:
    return CodeBook("p4-ht")


def rows_with_code(book: CodeBook) -> list[tuple[int, int]]:
    return [(p.index, mode) for p in book.paths for mode in Mode if p.by_mode[mode]]


def section(file: DomainFile, name: str) -> Any:
    return ELFFile(io.BytesIO(file.data)).get_section_by_name(name)


def elf_symbols(file: DomainFile) -> dict[str, tuple[int, int]]:
    """Return (address, size) of symbols by name, as a reader of the file sees them."""
    symbols = section(file, ".symtab").iter_symbols()
    return {s.name: (s["st_value"], s["st_size"]) for s in symbols if s.name}


def draw(book: CodeBook, path: int, mode: int, kind: Kind, count: int) -> Any:
    u = np.random.default_rng(1).integers(0, 2**64 - 1, count, dtype=np.uint64, endpoint=True)
    return book.sampling.draw(kind, np.full(count, path), np.full(count, mode), u)


# ---------------------------------------------------------------- paths


def test_the_modes_of_each_path_sum_to_its_cycles(book: CodeBook) -> None:
    assert book.cycles == [sum(path.by_mode) for path in book.paths]


def test_paths_are_found_by_name_and_index(book: CodeBook) -> None:
    assert list(range(len(book.paths))) == [book.index[path.name] for path in book.paths]


@pytest.mark.parametrize("cpu", ["p4", "p4-ht", "core_2", "hammer"])
def test_a_unit_of_computing_is_1000_cycles_on_each_cpu(cpu: str) -> None:
    programs = ("hotplug_script", "init_scripts", "domain_build")
    kinds = ("_compute", "background", *programs)
    others = ("hvm_", "oracle_", "sybase_")  # databases do transactions, which take what they take
    own = [p for p in CodeBook(cpu).paths if not p.name.startswith(others)]
    units = [p.cycles for p in own if any(kind in p.name for kind in kinds)]
    assert units == [1000] * 9


def test_a_path_has_user_code_exactly_if_it_has_a_program(book: CodeBook) -> None:
    assert [p.program is not None for p in book.paths] == [p.by_mode[0] > 0 for p in book.paths]


def test_the_model_names_every_path_that_it_executes(book: CodeBook) -> None:
    assert set() == set(EXECUTED.split()) - book.index.keys()


def test_an_unknown_cpu_type_is_refused() -> None:
    with pytest.raises(ValueError, match="cpu type 'p5' is not one of p4, p4-ht, core_2, hammer"):
        CodeBook("p5")


# ---------------------------------------------------------------- rates


def test_cycles_happen_once_a_cycle(book: CodeBook) -> None:
    rates = {book.sampling.rate(path, mode, Kind.CYCLES) for path, mode in rows_with_code(book)}
    assert {1.0} == rates


def test_a_mode_without_code_has_no_events(book: CodeBook) -> None:
    assert not book.sampling.rates_q20[book.index["context_switch"], Mode.USER].any()


@pytest.mark.parametrize("cpu", ["p4", "core_2", "hammer"])
def test_no_miss_without_a_reference(cpu: str) -> None:
    rates = CodeBook(cpu).sampling.rates_q20
    for part, whole in [
        (Kind.L1D_MISSES, Kind.L1D_REFERENCES),
        (Kind.L2_MISSES, Kind.L2_REFERENCES),
        (Kind.ITLB_MISSES, Kind.ITLB_REFERENCES),
        (Kind.BRANCH_MISSES, Kind.BRANCHES),
        (Kind.BRANCHES_TAKEN, Kind.BRANCHES),
        (Kind.INSTRUCTIONS, Kind.UOPS),
    ]:
        excess = rates[:, :, part] > rates[:, :, whole]
        assert not excess.any() or (cpu, part) == ("core_2", Kind.INSTRUCTIONS), (part, whole)


def test_the_hypervisor_misses_the_tlb_more_often_than_programs(book: CodeBook) -> None:
    flip = book.sampling.rate(
        book.index["netback_receive_packet_flip"], Mode.HYPERVISOR, Kind.DTLB_MISSES
    )
    linpack = book.sampling.rate(book.index["linpack_compute"], Mode.USER, Kind.DTLB_MISSES)
    assert flip > linpack


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("role", ROLES)
def test_each_file_has_the_functions_of_its_image(book: CodeBook, role: Role) -> None:
    images = {image.path: image for image in Images().by_key.values()}
    for file in book.files(role):
        image = images[file.path]
        ends = {"_etext"} if image.kind in ("kernel", "hypervisor") else set()
        assert elf_symbols(file).keys() == image.symbols.keys() | ends, file.path


@pytest.mark.parametrize("path", [XEN, VMLINUX])
def test_the_code_of_kernel_and_hypervisor_ends_at_etext(book: CodeBook, path: str) -> None:
    file = next(file for file in book.files("guest") if file.path == path)
    text = section(file, ".text")
    assert elf_symbols(file)["_etext"] == (text["sh_addr"] + text["sh_size"], 0)


def test_functions_follow_each_other_without_gaps(book: CodeBook) -> None:
    for file in book.files("dom0"):
        spans = sorted(elf_symbols(file).values())
        ends = [address + size for address, size in spans]
        assert [address for address, _ in spans[1:]] == ends[:-1], file.path


@pytest.mark.parametrize(
    ("path", "address"), [(XEN, 0xFFFF828C80100000), (VMLINUX, 0xFFFFFFFF80200000)]
)
def test_kernel_and_hypervisor_run_where_they_are_linked(
    book: CodeBook, path: str, address: int
) -> None:
    file = next(file for file in book.files("guest") if file.path == path)
    assert section(file, ".text")["sh_addr"] == address


def test_modules_are_linked_at_zero_and_loaded_high(book: CodeBook) -> None:
    files = {file.path: file for file in book.files("dom0")}
    for module in book.modules("dom0"):
        text = section(files[module.path], ".text")
        assert text["sh_addr"] == 0, module.name
        assert module.start >= 0xFFFFFFFF88000000, module.name
        assert text["sh_size"] <= module.size, module.name


def test_backends_live_in_domain_0_and_frontends_in_guests(book: CodeBook) -> None:
    names = {role: {module.name for module in book.modules(role)} for role in ROLES}
    assert {"netbk", "blkbk", "bridge", "e1000"} <= names["dom0"] - names["guest"]
    assert {"xennet", "xenblk"} == names["guest"] - names["dom0"]


def test_both_roles_share_the_bytes_of_common_files(book: CodeBook) -> None:
    dom0, guest = ({file.path: file.data for file in book.files(role)} for role in ROLES)
    assert all(dom0[path] == guest[path] for path in dom0.keys() & guest.keys())


@pytest.mark.parametrize("role", ROLES)
def test_the_files_of_a_domain_are_small(book: CodeBook, role: Role) -> None:
    assert sum(len(file.data) for file in book.files(role)) < 3_000_000


def test_files_and_draws_are_the_same_under_any_hash_seed(book: CodeBook) -> None:
    script = (
        "import hashlib, numpy as np\n"
        "from hypervisor.model.codebook.book import CodeBook\n"
        "book, digest = CodeBook('p4-ht'), hashlib.sha256()\n"
        "for role in ('dom0', 'guest'):\n"
        "    for file in book.files(role): digest.update(file.data)\n"
        "path = np.full(64, book.index['httpd_compute'])\n"
        "u = np.arange(64, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)\n"
        "digest.update(book.sampling.draw(7, path, np.zeros(64, int), u).tobytes())\n"
        "digest.update(book.sampling.rates_q20.tobytes())\n"
        "print(digest.hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_two_books_have_equal_files(book: CodeBook) -> None:
    def digest(of: CodeBook) -> str:
        return hashlib.sha256(b"".join(file.data for file in of.files("dom0"))).hexdigest()

    assert digest(book) == digest(CodeBook("hammer"))


# ---------------------------------------------------------------- draws


def test_each_pc_lies_in_a_function_of_the_path_and_mode(book: CodeBook) -> None:
    images = Images()
    costs = Costs(images.by_key)
    for path, mode in rows_with_code(book):
        spans = [
            (symbol.address, symbol.address + symbol.size)
            for op in costs.paths[book.paths[path].name].ops
            for name in costs.ops[op].symbols
            if costs.ops[op].image.mode == mode
            for symbol in [costs.ops[op].image.symbols.get(name.format(check_ctrs="p4_check_ctrs"))]
            if symbol
        ]
        pcs = draw(book, path, mode, Kind.CYCLES, 200)
        inside = [any(start <= pc < end for start, end in spans) for pc in pcs.tolist()]
        assert all(inside), (book.paths[path].name, mode)


@pytest.mark.parametrize("u", [0, 2**64 - 1])
def test_the_ends_of_the_random_range_stay_inside(book: CodeBook, u: int) -> None:
    rows = np.array(rows_with_code(book))
    symbols = [s for i in Images().by_key.values() for s in i.symbols.values()]
    pcs = book.sampling.draw(Kind.CYCLES, rows[:, 0], rows[:, 1], np.full(len(rows), u, np.uint64))
    for pc in pcs.tolist():
        assert any(s.address <= pc < s.address + s.size for s in symbols), hex(pc)


def test_user_pcs_are_mapped_by_the_program(book: CodeBook) -> None:
    for path in book.paths:
        if path.program is None:
            continue
        mappings = book.mappings(path.program)
        for pc in draw(book, path.index, Mode.USER, Kind.CYCLES, 200).tolist():
            assert any(m.start <= pc < m.end for m in mappings), (path.name, hex(pc))


def test_a_mapping_leads_to_the_file_offset_of_the_function(book: CodeBook) -> None:
    file = next(file for file in book.files("guest") if file.path == "/lib64/libc-2.5.so")
    libc = next(m for m in book.mappings("/usr/sbin/httpd") if m.path == file.path)
    text = section(file, ".text")
    address, _ = elf_symbols(file)["memcpy"]
    offset = libc.offset + address - libc.start
    assert text["sh_offset"] + address - text["sh_addr"] == offset


def test_a_process_maps_its_program_and_its_libraries(book: CodeBook) -> None:
    paths = [mapped.path for mapped in book.mappings("/usr/bin/python")]
    assert paths == [
        "/usr/bin/python",
        "/usr/lib64/libpython2.4.so.1.0",
        "/usr/lib64/libxenguest.so.3.0.0",
        "/usr/lib64/libxenctrl.so.3.0.0",
        "/usr/lib64/libz.so.1.2.3",
        "/lib64/libc-2.5.so",
    ]


def test_a_library_is_mapped_at_one_address_in_every_process(book: CodeBook) -> None:
    def libc(program: str) -> Mapped:
        return book.mappings(program)[-1]

    assert libc("/usr/sbin/httpd") == libc("/usr/bin/oprofiled")


@pytest.mark.parametrize("kind", [Kind.CYCLES, Kind.L2_MISSES])
def test_functions_are_drawn_by_their_share_of_the_events(book: CodeBook, kind: Kind) -> None:
    images = Images()
    costs = Costs(images.by_key)
    path = book.index["netback_receive_packet_flip"]
    expected: dict[int, float] = {}
    sizes: dict[int, int] = {}
    for name, times in costs.paths["netback_receive_packet_flip"].ops.items():
        op = costs.ops[name]
        if op.image.mode != Mode.KERNEL:
            continue
        row = costs.classes[op.work_class]
        events = 1.0 if kind == Kind.CYCLES else float(row.instructions * row.events[kind])
        for symbol, part in op.symbols.items():
            start = op.image.symbols[symbol].address
            share = float(times) * op.cycles * events * part / sum(op.symbols.values())
            expected[start] = expected.get(start, 0) + share
            sizes[start] = op.image.symbols[symbol].size
    count = 40_000
    starts = np.array(sorted(expected), np.uint64)
    weights = np.array([expected[int(start)] for start in starts])
    drawn = np.searchsorted(starts, draw(book, path, Mode.KERNEL, kind, count), side="right") - 1
    observed = np.bincount(drawn, minlength=len(starts))
    wanted = count * weights / weights.sum()
    chi_square = float(((observed - wanted) ** 2 / wanted).sum())
    freedom = len(starts) - 1
    assert chi_square < freedom + 3.1 * (2 * freedom) ** 0.5  # p about 0.001


def test_a_kind_that_never_happens_lands_where_the_time_goes(book: CodeBook) -> None:
    path = book.index["bridge_packet"]
    assert book.sampling.rate(path, Mode.KERNEL, Kind.FLOATING_POINT) == 0
    time = draw(book, path, Mode.KERNEL, Kind.CYCLES, 50)
    assert time.tolist() == draw(book, path, Mode.KERNEL, Kind.FLOATING_POINT, 50).tolist()


def test_samples_of_a_function_gather_in_hot_spots(book: CodeBook) -> None:
    pcs = draw(book, book.index["copy_from_user_kib"], Mode.KERNEL, Kind.CYCLES, 4000)
    counts = np.sort(np.unique(pcs, return_counts=True)[1])[::-1]
    assert counts[:16].sum() > 0.7 * len(pcs)
    assert len(counts) > 100


def test_drawing_in_a_mode_without_code_is_refused(book: CodeBook) -> None:
    with pytest.raises(ValueError, match="path context_switch has no code in mode 0"):
        draw(book, book.index["context_switch"], Mode.USER, Kind.CYCLES, 1)


def test_an_empty_batch_is_drawn(book: CodeBook) -> None:
    assert draw(book, 0, 0, Kind.CYCLES, 0).tolist() == []


@pytest.mark.parametrize(
    ("cpu", "function"),
    [("p4-ht", "p4_check_ctrs"), ("core_2", "ppro_check_ctrs"), ("hammer", "athlon_check_ctrs")],
)
def test_the_nmi_handler_is_that_of_the_cpu(cpu: str, function: str) -> None:
    book = CodeBook(cpu)
    symbol = Images().by_key["xen"].symbols[function]
    pcs = draw(book, book.index["oprofile_sample"], Mode.HYPERVISOR, Kind.CYCLES, 100)
    assert ((pcs >= symbol.address) & (pcs < symbol.address + symbol.size)).sum() > 20
