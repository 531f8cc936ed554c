from dataclasses import replace

import pytest

from tests.support.stack_profiles import profile
from xenprof.profile.spelling import spelled, spelled_profile
from xenprof.profile.stacks import Frame


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", "plain"),
        ("gr\u00fc\u00df", "gr\u00fc\u00df"),
        (b"a\x80b\xff".decode(errors="surrogateescape"), r"a\udc80b\udcff"),
        ("\ud800", r"\ud800"),
    ],
)
def test_bytes_that_are_no_utf_8_are_spelled(name: str, expected: str):
    assert expected == spelled(name)


def test_every_text_of_a_profile_is_spelled():
    of = profile()
    odd = Frame("s\udc80", "/i\udc81", of.frames[0].layer, "d\udc82", "f\udc83")
    frames = (odd, *of.frames[1:])
    found = spelled_profile(replace(of, frames=frames, host="h\udc84"))
    frame = found.frames[0]

    assert (frame.symbol, frame.image, frame.domain, frame.file, found.host) == (
        r"s\udc80", r"/i\udc81", r"d\udc82", r"f\udc83", r"h\udc84",
    )  # fmt: skip


def test_a_profile_that_is_utf_8_stays_as_it_is():
    of = profile()

    assert of is spelled_profile(of)
