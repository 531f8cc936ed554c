"""`xenprof import perf`: from the text of perf script to reports."""

import io
import shutil
from pathlib import Path

import pytest

from tests.support.importing import (
    PERF,
    balance,
    by_symbol,
    imported,
    opreport_rows,
    profile,
    refused,
    sample_files,
)
from xenprof.errors import StoreFull
from xenprof.images import load_symbols

CHAINS, PLAIN = PERF / "chains.txt", PERF / "plain.txt"
COMPILED, IMAGES = PERF.parent / "compiled", PERF.parent / "images"


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "perf.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def chains(tmp_path):
    return tmp_path / "out", imported("perf", CHAINS, tmp_path / "out")


def test_every_sample_of_perf_is_stored_or_lost_for_a_reason(chains):
    assert (
        "event cycles_ppp (cycles:ppp): 6 samples = 6 stored\n"
        "event branch-misses: 2 samples = 1 stored + 1 without an address\n"
        "lost before, as the file tells: 34 samples\n"
    ) in chains[1]


def test_samples_of_perf_are_told_by_domain_layer_image_and_symbol(chains):
    cycles, misses = "cycles_ppp:250000:0", "branch-misses:1000:0"

    assert {
        ("Domain-0", "kernel", "vmlinux", "try_to_wake_up", cycles): 1,
        ("Domain-0", "user", "/usr/lib64/libc-2.17.so", "", cycles): 1,
        ("Domain-0", "user", "/usr/sbin/httpd", "ap_hook", misses): 1,
        ("Domain-0", "user", "[anon]", "", cycles): 1,
        ("Domain-0", "kernel", "e1000", "e1000_clean", cycles): 1,
        ("guest", "kernel", "vmlinux", "do_guest_work", cycles): 1,
        ("Domain-0", "kernel", "no-vmlinux", "", cycles): 1,
    } == by_symbol(profile(chains[0]))


def test_sample_files_hold_what_the_stacks_hold(chains):
    stacks = by_symbol(profile(chains[0]), flat=True)

    assert stacks == by_symbol(profile(chains[0], flat=True), flat=True)


def test_call_chains_of_perf_are_kept_with_the_outermost_caller_first(chains):
    found = profile(chains[0])
    names = {tuple(found.frames[step].symbol for step in stack) for stack in found.stacks}

    assert ("main", "ap_run", "ap_hook") in names
    assert (
        "main", "ap_process(request_rec*, int)", "wake_up_process", "try_to_wake_up",
    ) in names  # fmt: skip


def test_an_inlined_frame_is_of_the_image_that_it_was_inlined_into(chains):
    frames = {frame.symbol: frame for frame in profile(chains[0]).frames}

    assert "/usr/sbin/httpd" == frames["ap_hook"].image


def test_arcs_stay_within_user_and_kernel(chains):
    arcs = {path for path in sample_files(chains[0] / "Domain-0") if "{cg}" in path}

    assert not {path for path in arcs if "vmlinux" in path and "httpd" in path}
    assert any("vmlinux/{cg}/{kern}/vmlinux" in path for path in arcs)


def test_frames_on_the_line_of_the_sample_are_read(tmp_path):
    imported("perf", PLAIN, tmp_path / "out")

    assert {
        ("Domain-0", "kernel", "vmlinux", "native_safe_halt", "cpu-clock:2:0"): 1,
        ("Domain-0", "user", "/usr/sbin/httpd", "ap_run", "cpu-clock:2:0"): 2,
        ("Domain-0", "user", "/tmp/perf-2500.map", "Lfoo;::bar", "cpu-clock:2:0"): 1,
    } == by_symbol(profile(tmp_path / "out"))


def test_the_mean_of_varied_periods_is_told(tmp_path):
    out = imported("perf", PLAIN, tmp_path / "out")

    assert "note: cpu-clock: its period varied; 2 is the mean\n" in out


def test_a_tracepoint_without_a_chain_is_lost_and_counted(tmp_path):
    assert [(4, 4, 0), (1, 0, 1)] == balance(imported("perf", PLAIN, tmp_path / "out"))


def test_opreport_shows_symbols_of_images_made_of_names(chains):
    rows = opreport_rows(chains[0] / "Domain-0", "event:cycles_ppp")

    assert ["1", "20.0000", "vmlinux", "vmlinux", "try_to_wake_up"] in rows


@pytest.mark.parametrize(
    ("separate", "expected"),
    [
        ("none", "{root}/usr/sbin/httpd/{dep}/{root}/usr/sbin/httpd/branch-misses.1000.0.all.all.all"),
        ("cpu", "{root}/usr/sbin/httpd/{dep}/{root}/usr/sbin/httpd/branch-misses.1000.0.all.all.0"),
        ("thread", "{root}/usr/sbin/httpd/{dep}/{root}/usr/sbin/httpd/branch-misses.1000.0.2311.2315.all"),
        ("lib", "{root}/usr/sbin/httpd/{dep}/{root}/usr/lib64/libc-2.17.so/cycles_ppp.250000.0.all.all.all"),
        ("kernel", "{root}/usr/sbin/httpd/{dep}/{kern}/vmlinux/cycles_ppp.250000.0.all.all.all"),
        ("all", "{root}/usr/sbin/httpd/{dep}/{kern}/vmlinux/cycles_ppp.250000.0.2311.2314.1"),
    ],
)  # fmt: skip
def test_separate_is_as_opcontrol_has_it(tmp_path, separate, expected):
    imported("perf", CHAINS, tmp_path / "out", "--separate", separate)

    assert expected in sample_files(tmp_path / "out" / "Domain-0")


def test_anonymous_memory_is_told_by_its_range(chains):
    assert (
        "{root}/Web Content/{dep}/{anon:anon}/2400.0x7f2200001000.0x7f2200002000/"
        "cycles_ppp.250000.0.all.all.all"
    ) in sample_files(chains[0] / "Domain-0")


def test_the_domain_is_whose_the_user_says(tmp_path):
    imported("perf", PLAIN, tmp_path / "out", "--domain", "we/b")

    assert {"we/b"} == {frame.domain for frame in profile(tmp_path / "out").frames}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no samples"),
        ("# only a comment\n", "no samples"),
        ("hello\n", "line 1: neither a sample nor a frame of perf script: 'hello'"),
        ("a 1 [000] 1.0: 1 cycles:\n\tffff", "line 2: truncated: the last line has no end"),
        (b"a 1 [000] 1.0: 1 cyc\xffles:\n", "line 1: not UTF-8"),
        (
            b"PERFILE2h\0\0\0",
            "perf's own file: give the text that `perf script` prints of it",
        ),
        (b"\x7fELF\0\0\n", "line 1: binary data, text is wanted"),
        ("a" * 70000 + "\n", "line 1: longer than 65536 bytes"),
        (b"\x1f\x8b\x08", "truncated: its gzip data have no end"),
        (b"\x1f\x8bxxxxxxxxxxxxxxxxxxxxx", "damaged: its gzip data do not fit"),
        (
            "a 99999999999999 1.0: cycles:\n",
            "line 1: neither a sample nor a frame of perf script: 'a 99999999999999 1.0: cycles:'",
        ),
    ],
)
def test_what_is_no_text_of_perf_is_refused_in_one_line(tmp_path, text, message):
    assert message == refused("perf", written(tmp_path, text), tmp_path / "out")


def test_nothing_is_left_of_what_was_refused(tmp_path):
    file = written(tmp_path, "hello\n")

    refused("perf", file, tmp_path / "out")

    assert [file] == list(tmp_path.iterdir())


def with_images(tmp_path: Path, *frames: str) -> str:
    """Import samples of these frames, with a root that has two compiled programs."""
    root = tmp_path / "root" / "opt"
    root.mkdir(parents=True)
    shutil.copy2(COMPILED / "demo", root / "demo")
    shutil.copy2(IMAGES / "demo-pie", root / "pie")
    text = "".join(f"demo 5 [000] 1.0: 100 cycles:\n\t{frame}\n\n" for frame in frames)
    file = written(tmp_path, text)
    return imported("perf", file, tmp_path / "out", "--root", tmp_path / "root")


@pytest.mark.parametrize(
    ("frame", "image"),
    [
        ("40103c receive+0x10 (/opt/demo)", "demo"),
        ("40103c receive (/opt/demo)", "demo"),
        ("40103c [unknown] (/opt/demo)", "demo"),
        ("55500027b leaf+0x2 (/opt/pie)", "pie"),
        ("55500027b leaf (/opt/pie)", "pie"),
    ],
)
def test_a_real_image_is_taken_if_it_is_there(tmp_path, frame, image):
    with_images(tmp_path, frame)

    original = (tmp_path / "root" / "opt" / image).read_bytes()
    assert original == (tmp_path / "out" / "Domain-0" / "opt" / image).read_bytes()


@pytest.mark.parametrize(
    ("frame", "symbol"),
    [
        ("40103c receive+0x10 (/opt/demo)", "receive"),
        ("40103c [unknown] (/opt/demo)", "receive"),
        ("55500027b leaf+0x2 (/opt/pie)", "leaf"),
    ],
)
def test_samples_fall_on_the_symbols_of_a_real_image(tmp_path, frame, symbol):
    with_images(tmp_path, frame)

    (key,) = by_symbol(profile(tmp_path / "out", flat=True))
    assert symbol == key[3]


@pytest.mark.parametrize(
    "frame",
    ["40103c send+0x10 (/opt/demo)", "990000 receive+0x10 (/opt/demo)", "1 leaf+0x9999 (/opt/pie)"],
)
def test_an_image_of_another_build_is_replaced_by_one_of_names(tmp_path, frame):
    assert "images: 1 made of names; stacks: 1\n" in with_images(tmp_path, frame)


def test_symbols_of_an_image_made_of_names_are_in_the_order_of_their_addresses(tmp_path):
    frames = ("9000 a+0x0 (/x)", "100 z+0x10 (/x)", "5000 m (/x)")
    with_images(tmp_path, *frames)

    symbols = load_symbols(tmp_path / "out" / "Domain-0" / "x")
    assert ["z", "m", "a"] == list(symbols.names)


def test_functions_as_large_as_an_address_space_make_no_large_image(tmp_path):
    with_images(tmp_path, "7fffffffffff a+0x7ffffffffff0 (/x)", "7fffffffffff b (/x)")

    assert (tmp_path / "out" / "Domain-0" / "x").stat().st_size < 10_000


def test_samples_that_all_lack_an_address_are_refused(tmp_path):
    file = written(tmp_path, "a 1 [000] 1.0: 1 cycles:\n\n")

    assert "none of its 1 samples has an address" == refused("perf", file, tmp_path / "out")


def test_standard_input_is_read(tmp_path, monkeypatch):
    text = io.BytesIO(CHAINS.read_bytes())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(text))

    assert [(6, 6, 0), (2, 1, 1)] == balance(imported("perf", "-", tmp_path / "out"))


def test_a_directory_is_no_input(tmp_path):
    assert "is a directory" == refused("perf", tmp_path, tmp_path / "out")


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(path, data, disk):
        raise StoreFull(str(path), f"{path}: No space left on device")

    monkeypatch.setattr("xenprof.store.samplefile.write_file", full)

    told = refused("perf", CHAINS, tmp_path / "out")

    assert told.endswith(": No space left on device") and ".importing" not in told
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("separate", ["", "lib,threads", "none;all"])
def test_a_separation_that_opcontrol_does_not_know_is_refused(tmp_path, separate):
    told = refused("perf", CHAINS, tmp_path / "out", "--separate", separate)

    assert told.endswith("is none of none, lib, kernel, thread, cpu, all")


XEN_MAP = """\
ffff82d040200000 T _stext
ffff82d040227000 t schedule
ffff82d040228000 T do_softirq
ffff82d0403a2000 T _etext
"""


def test_the_hypervisor_s_code_has_names_where_its_symbols_are_given(tmp_path):
    symbols = tmp_path / "xensyms"
    symbols.write_text(XEN_MAP)
    text = (
        "swapper     0 [000]  1.000001:     100000 cycles: \n"
        "\tffff82d040227123 [unknown] ([unknown])\n\n"
        "bash     7 [000]  1.000002:     100000 cycles: \n"
        "\tffffffff8107f2a1 try_to_wake_up+0x1f1 ([kernel.kallsyms])\n\n"
    )
    file = tmp_path / "perf.txt"
    file.write_text(text)
    imported("perf", file, tmp_path / "out", "--xen-syms", symbols)

    assert {
        ("Domain-0", "hypervisor", "/boot/xen-syms", "schedule", "cycles:100000:0"): 1,
        ("Domain-0", "kernel", "vmlinux", "try_to_wake_up", "cycles:100000:0"): 1,
    } == by_symbol(profile(tmp_path / "out"))


def test_guests_are_told_apart_by_the_mode_of_a_sample(tmp_path):
    text = "".join(
        f"swapper     0 [000] {mode}     1.00000{index}:     100000 cycles: \n"
        "\t          4551b7 [unknown] ([unknown])\n\n"
        for index, mode in enumerate("UgG")
    )
    file = tmp_path / "perf.txt"
    file.write_text(text)
    imported("perf", file, tmp_path / "out")
    found = by_symbol(profile(tmp_path / "out"))

    assert {"Domain-0": 1, "guest": 2} == {key[0]: count for key, count in found.items()}
