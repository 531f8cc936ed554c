import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.support.paths import TESTS
from xenprof.images import ImageSymbols, load_symbols

IMAGES = TESTS / "fixtures" / "images"
LEAF, MAIN = 0x279, 0x2AE  # file offsets, and addresses, of demo-pie's functions


@pytest.fixture
def stripped(tmp_path: Path) -> Path:
    path = tmp_path / "usr" / "bin" / "demo"
    path.parent.mkdir(parents=True)
    shutil.copy(IMAGES / "demo-stripped", path)
    return path


def put_debug_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(IMAGES / "demo-pie.debug", path)


def functions(symbols: ImageSymbols) -> list[tuple[str, int]]:
    return list(zip(symbols.names, symbols.starts.tolist(), strict=True))


BUILD_ID = load_symbols(IMAGES / "demo-pie").image.build_id.hex()  # type: ignore[union-attr]

PLACES = {
    "build id": f"usr/lib/debug/.build-id/{BUILD_ID[:2]}/{BUILD_ID[2:]}.debug",
    "beside it": "usr/bin/demo-pie.debug",
    "below .debug": "usr/bin/.debug/demo-pie.debug",
    "below the debug directory": "usr/lib/debug/usr/bin/demo-pie.debug",
}


@pytest.mark.parametrize("where", PLACES)
def test_a_stripped_image_gets_the_symbols_of_its_debug_file(where, stripped, tmp_path):
    put_debug_file(tmp_path / PLACES[where])
    symbols = load_symbols(stripped, (str(tmp_path),))
    assert [("leaf", LEAF), ("main", MAIN)] == functions(symbols)


def test_without_a_debug_file_a_stripped_image_has_no_symbols(stripped, tmp_path):
    assert [] == functions(load_symbols(stripped, (str(tmp_path),)))


def test_a_debug_file_with_another_checksum_is_not_used(stripped, tmp_path):
    path = tmp_path / "usr" / "bin" / "demo-pie.debug"
    put_debug_file(path)
    path.write_bytes(path.read_bytes() + b"\0")
    assert [] == functions(load_symbols(stripped, (str(tmp_path),)))


def test_a_debug_file_with_another_build_id_is_not_used(stripped, tmp_path):
    path = tmp_path / PLACES["build id"]
    put_debug_file(path)
    data = path.read_bytes()
    path.write_bytes(data.replace(bytes.fromhex(BUILD_ID), bytes(20)))
    assert [] == functions(load_symbols(stripped, (str(tmp_path),)))


def test_an_image_with_debugging_information_needs_no_other_file(tmp_path):
    path = tmp_path / "demo-pie"
    shutil.copy(IMAGES / "demo-pie", path)
    symbols = load_symbols(path, (str(tmp_path),))
    assert symbols.code is symbols.image


@pytest.mark.parametrize(
    ("file", "leaf"), [("demo-dwarf4", 0x144), ("demo-pie", 0x279), ("demo-i386", 0xD8)]
)
def test_fixed_and_moving_images_are_looked_up_by_file_offset(file, leaf):
    symbols = load_symbols(IMAGES / file)
    index = symbols.lookup(np.array([leaf, leaf + 4], np.uint64), is_kernel=False)
    assert ["leaf", "leaf"] == [symbols.names[int(i)] for i in index]


def test_only_the_text_of_a_module_counts():
    assert [("leaf", 0x40)] == functions(load_symbols(IMAGES / "demo-module.ko"))


def test_offsets_of_a_module_count_from_its_text():
    symbols = load_symbols(IMAGES / "demo-module.ko")
    assert [0] == symbols.lookup(np.array([5], np.uint64), is_kernel=True).tolist()
