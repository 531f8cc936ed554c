from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.elf import ElfSymbol, write_elf
from tests.support.elf_files import GLOBAL, LOCAL, SECTION, WEAK, Sec, Sym, elf
from xenprof.errors import ImageError
from xenprof.images import ImageFinder, ImageSymbols, load_symbols, text_range
from xenprof.profile.flat import ImageName

TEXT = Sec(".text", 0x401000, 0x1000, 0x1000)
INIT = Sec(".init", 0x500000, 0x3000, 0x100)
DATA = Sec(".data", 0x600000, 0x4000, 0x100, flags=0x3)


def symbols_of(tmp_path: Path, sections: list[Sec], symbols: list[Sym], **kind) -> ImageSymbols:
    path = tmp_path / "image"
    path.write_bytes(elf(sections, symbols, **kind))
    return load_symbols(path)


def ranges(symbols: ImageSymbols) -> list[tuple[str, int, int]]:
    """Return names, starts and ends; the last symbol ends at -1, far beyond its section."""
    rows = list(zip(symbols.names, symbols.starts.tolist(), symbols.ends.tolist(), strict=True))
    return [*rows[:-1], (*rows[-1][:2], -1)] if rows else []


def found(symbols: ImageSymbols, offsets: list[int], *, is_kernel: bool) -> list[int]:
    return list(map(int, symbols.lookup(np.array(offsets, np.uint64), is_kernel)))


@pytest.mark.parametrize("is_64", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_symbol_runs_to_the_next_one_whatever_its_size(
    tmp_path: Path, is_64: bool, order: str
) -> None:
    symbols = symbols_of(
        tmp_path,
        [TEXT],
        [Sym("b", 0x401100, size=4), Sym("a", 0x401000, size=4)],
        is_64=is_64,
        order=order,
    )
    assert [("a", 0x1000, 0x1100), ("b", 0x1100, -1)] == ranges(symbols)


def test_the_last_symbol_of_a_section_ends_with_the_section(tmp_path: Path) -> None:
    symbols = symbols_of(tmp_path, [TEXT, INIT], [Sym("a", 0x401010), Sym("i", 0x500000, 2)])
    assert [("a", 0x1010, 0x2000), ("i", 0x3000, -1)] == ranges(symbols)


def test_the_last_symbol_of_a_file_ends_its_size_behind_its_section(tmp_path: Path) -> None:
    symbols = symbols_of(tmp_path, [TEXT, INIT], [Sym("a", 0x401010), Sym("i", 0x500000, 2)])
    assert 0x3000 + (tmp_path / "image").stat().st_size == symbols.ends[-1]


def test_only_symbols_in_code_sections_count(tmp_path: Path) -> None:
    symbols = symbols_of(
        tmp_path,
        [TEXT, DATA],
        [Sym("data", 0x600000, 2), Sym("undefined", 0, 0), Sym("absolute", 1, 0xFFF1)],
    )
    assert [] == ranges(symbols)


def test_local_labels_section_and_mapping_symbols_are_dropped(tmp_path: Path) -> None:
    boring = [".L1", "$a", "$t", "$d"]
    symbols = symbols_of(
        tmp_path,
        [TEXT],
        [
            *(Sym(name, 0x401000 + i, bind=LOCAL) for i, name in enumerate(boring)),
            Sym("", 0x401000, kind=SECTION, bind=LOCAL),
            Sym("$ab", 0x401010),
            Sym(".List", 0x401020),
            Sym(".list", 0x401030),
        ],
    )
    assert ["$ab", ".list"] == list(symbols.names)


def test_an_unnamed_symbol_is_called_after_its_section(tmp_path: Path) -> None:
    assert ["??.text"] == list(symbols_of(tmp_path, [TEXT], [Sym("", 0x401000)]).names)


@pytest.mark.parametrize(
    ("first", "second", "best"),
    [
        (Sym("", 0x401000), Sym("named", 0x401000, bind=LOCAL), "named"),
        (Sym("local", 0x401000, bind=LOCAL), Sym("_global", 0x401000, bind=GLOBAL), "_global"),
        (Sym("_under", 0x401000), Sym("plain", 0x401000, bind=WEAK), "plain"),
        (Sym("weak", 0x401000, bind=WEAK), Sym("strong", 0x401000), "strong"),
        (Sym("early", 0x401000), Sym("late", 0x401000), "early"),
    ],
    ids=["named", "global", "no underscore", "strong", "first in the table"],
)
def test_of_two_symbols_at_one_address_the_better_stays(
    tmp_path: Path, first: Sym, second: Sym, best: str
) -> None:
    assert [best] == list(symbols_of(tmp_path, [TEXT], [first, second]).names)


def test_user_offsets_are_file_offsets(tmp_path: Path) -> None:
    symbols = symbols_of(tmp_path, [TEXT], [Sym("main", 0x401100), Sym("leaf", 0x40113C)])
    assert [-1, 0, 0, 1, 1, 1] == found(
        symbols, [0x10FF, 0x1100, 0x113B, 0x113C, 0x1FFF, 0x2000], is_kernel=False
    )


def test_kernel_offsets_count_from_the_start_of_text(tmp_path: Path) -> None:
    symbols = symbols_of(tmp_path, [TEXT], [Sym("stext", 0x401000), Sym("schedule", 0x401200)])
    assert [0, 0, 1, 1] == found(symbols, [0, 0x1FF, 0x200, 0xFFF], is_kernel=True)


def test_what_begins_before_text_holds_no_kernel_sample(tmp_path: Path) -> None:
    early = Sec(".init", 0x300000, 0x800, 0x900)
    symbols = symbols_of(tmp_path, [early, TEXT], [Sym("i", 0x300000), Sym("s", 0x401100, 2)])
    assert [-1, 1] == found(symbols, [0x80, 0x100], is_kernel=True)


def test_an_absolute_pc_belongs_to_no_symbol(tmp_path: Path) -> None:
    symbols = symbols_of(tmp_path, [TEXT], [Sym("stext", 0x401000)])
    assert [-1, -1] == found(symbols, [0xFFFFFFFF80200000, 2**64 - 0x1000], is_kernel=True)


def test_gaps_between_sections_belong_to_no_symbol(tmp_path: Path) -> None:
    symbols = symbols_of(tmp_path, [TEXT, INIT], [Sym("a", 0x401000), Sym("i", 0x500000, 2)])
    assert [0, -1, 1] == found(symbols, [0x1FFF, 0x2500, 0x3000], is_kernel=False)


@given(
    st.lists(st.integers(0, 0xFFF), min_size=1, max_size=40, unique=True),
    st.lists(st.integers(0, 0x3000), max_size=40),
)
def test_lookup_agrees_with_looking_at_every_symbol(
    tmp_path_factory: pytest.TempPathFactory, places: list[int], offsets: list[int]
) -> None:
    symbols = symbols_of(
        tmp_path_factory.mktemp("e"), [TEXT], [Sym(f"s{p}", 0x401000 + p) for p in places]
    )
    expected = [
        next(
            (
                i
                for i, (_, start, end) in enumerate(ranges(symbols))
                if start <= o and (o < end or end == -1)
            ),
            -1,
        )
        for o in offsets
    ]
    assert expected == found(symbols, offsets, is_kernel=False)


def test_an_image_without_a_symbol_table_has_no_symbols(tmp_path: Path) -> None:
    symbols = symbols_of(tmp_path, [TEXT], [])
    assert ([], [-1]) == (list(symbols.names), found(symbols, [0x1000], is_kernel=False))


def test_reads_what_our_own_writer_writes(tmp_path: Path) -> None:
    path = tmp_path / "vmlinux"
    base = 0xFFFFFFFF80200000
    path.write_bytes(
        write_elf(
            [ElfSymbol("_stext", base, 0), ElfSymbol("schedule", base + 64, 64, is_global=False)],
            text_address=base,
            text_size=0x800,
        )
    )
    symbols = load_symbols(path)
    assert ([("_stext", 0x1000, 0x1040), ("schedule", 0x1040, -1)], [base, base + 64]) == (
        ranges(symbols),
        symbols.vmas.tolist(),
    )


def test_names_that_differ_in_bytes_that_are_no_utf_8_stay_two(tmp_path: Path) -> None:
    names = ["f\udc80", "f\udc81"]
    symbols = symbols_of(
        tmp_path, [TEXT], [Sym(name, 0x401000 + 16 * at) for at, name in enumerate(names)]
    )

    assert names == list(symbols.names)


def test_a_kernel_without_etext_has_no_text_range(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(elf([INIT, TEXT], [Sym("my_etext", 0x401F00)]))
    with pytest.raises(ImageError, match=r"x does not seem to be valid"):
        text_range(path)


def test_the_text_range_ends_at_etext(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(elf([TEXT], [Sym("_etext", 0x401F00), Sym("_stext", 0x401000)]))
    assert (0x401000, 0x401F00) == text_range(path)


GOOD = elf([TEXT], [Sym("a", 0x401000)])


@pytest.mark.parametrize(
    "data",
    [b"", b"\x1f\x8b" + GOOD[2:], GOOD[:60], GOOD[:-64], elf([INIT], [])],
    ids=["empty", "compressed", "short header", "cut off", "no .text"],
)
def test_a_file_without_text_is_refused_by_the_name_the_user_gave(
    tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    with pytest.raises(ImageError) as caught:
        text_range(path, "/boot/xen.gz")
    assert "The specified file /boot/xen.gz does not seem to be valid" == str(caught.value)


def test_a_missing_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not seem to be valid"):
        load_symbols(tmp_path / "none")


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_a_damaged_image_gives_symbols_or_an_image_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, change: bytes
) -> None:
    path = tmp_path_factory.mktemp("e") / "x"
    path.write_bytes(GOOD[:at] + change + GOOD[at + len(change) :])
    try:
        symbols = load_symbols(path)
    except ImageError:
        return
    assert len(symbols.starts) == len(list(symbols.names))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("dom/bin/ls", "extra/b/ls", "extra/a/vmlinux", "extra/x/ip-tables,x.ko"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (ImageName("root", "/bin/ls"), "dom/bin/ls"),
        (ImageName("root", "/elsewhere/ls"), "extra/b/ls"),
        (ImageName("kern", "vmlinux"), "extra/a/vmlinux"),
        (ImageName("kern", "ip_tables_x"), "extra/x/ip-tables,x.ko"),
    ],
    ids=["own path", "basename", "kernel name", "module"],
)
def test_finds_an_image_at_its_own_path_then_by_name(
    root: Path, image: ImageName, expected: str
) -> None:
    finder = ImageFinder(str(root / "dom"), [str(root / "extra")])
    assert root / expected == finder.find(image)


@pytest.mark.parametrize(
    "image",
    [ImageName("kern", "no-vmlinux"), ImageName("anon", "[heap]"), ImageName("root", "/bin")],
)
def test_finds_no_file_for_what_has_none(root: Path, image: ImageName) -> None:
    assert ImageFinder(str(root / "dom"), [str(root / "extra")]).find(image) is None


def test_archive_and_root_come_before_the_image_path(root: Path) -> None:
    assert root / "dom/bin/ls" == ImageFinder(str(root), root="/dom").find(
        ImageName("root", "/bin/ls")
    )
