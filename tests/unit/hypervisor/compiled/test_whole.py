import struct

import pytest

from hypervisor.compiled.whole import is_whole

# A file of 200 bytes: header, and one program header that names the whole of it.
HEADER = b"\x7fELF\x02\x01".ljust(32, b"\0") + struct.pack("<Q14xHH6x", 64, 56, 1)
SEGMENT = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 200, 200, 4096)
WHOLE = (HEADER + SEGMENT).ljust(200, b"\0")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (WHOLE, True),
        (WHOLE + b"symbols", True),
        (WHOLE[:-1], False),
        (WHOLE[:100], False),
        (WHOLE[:64], False),
        (HEADER[:54] + bytes([3]) + HEADER[55:] + SEGMENT, False),
        (b"\x7fELF", True),
        (b"another format", True),
        (b"", False),
    ],
    ids=["whole", "more", "a byte less", "no room for segments", "header only",
         "tiny entries", "no header", "no ELF", "empty"],
)  # fmt: skip
def test_a_file_that_ends_before_its_segments_is_not_whole(tmp_path, content, expected):
    file = tmp_path / "module.so"
    file.write_bytes(content)

    assert expected == is_whole(file)


def test_a_file_that_is_missing_is_not_whole(tmp_path):
    assert not is_whole(tmp_path / "module.so")
