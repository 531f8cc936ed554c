from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.paths import TESTS
from xenprof.errors import ImageError
from xenprof.images.dynamic import dynamic_names, plt_entries
from xenprof.images.elf import read_elf

DYNAMIC = TESTS / "fixtures" / "compiled" / "dynamic"
SIZE = DYNAMIC.stat().st_size


def test_imports_have_their_versions() -> None:
    names = set(dynamic_names(read_elf(DYNAMIC)).versioned.values())
    assert {"__libc_start_main@GLIBC_2.34", "printf@GLIBC_2.2.5", "__gmon_start__@Base"} <= names


def test_plt_entries_are_named_after_what_they_call() -> None:
    elf = read_elf(DYNAMIC)
    assert {"printf@plt", "__cxa_finalize@plt"} == {
        name for _, name in plt_entries(elf, dynamic_names(elf).plain)
    }


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, 255)), max_size=40))
def test_damage_is_an_image_error_or_gives_other_names(
    tmp_path: Path, damage: list[tuple[int, int]]
) -> None:
    data = bytearray(DYNAMIC.read_bytes())
    for at, byte in damage:
        data[at] = byte
    image = tmp_path / "image"
    image.write_bytes(data)
    try:
        elf = read_elf(image)
    except ImageError:
        return
    assert all(name.endswith("@plt") for _, name in plt_entries(elf, dynamic_names(elf).plain))
