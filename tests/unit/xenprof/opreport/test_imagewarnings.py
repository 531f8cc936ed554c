import pytest

from xenprof.images.finder import Lookup
from xenprof.opreport.imagewarnings import ImageWarnings

MISSING = Lookup.MISSING.value


@pytest.mark.parametrize(
    ("name", "is_silent"),
    [
        ("/no-vmlinux", True),
        ("anon (tgid:7 range:0x1000-0x2000)", True),
        ("[vdso] (tgid:7 range:0x1000-0x2000)", True),
        ("[heap] (tgid:7 range:0x1000-0x2000)", False),
        ("[stack] (tgid:7 range:0x1000-0x2000)", False),
        ("/lib/no-vmlinux", False),
        ("/bin/a", False),
    ],
)
def test_memory_that_is_never_a_file_may_be_missing(name, is_silent):
    said: list[str] = []
    ImageWarnings(said.append).report(name, f"/archive{name}", MISSING)
    expected = [] if is_silent else [f"warning: /archive{name} could not be found."]
    assert expected == said


def test_an_image_is_reported_once():
    said: list[str] = []
    warnings = ImageWarnings(said.append)
    for problem in (MISSING, MISSING, "is not in a usable binary format."):
        warnings.report("/bin/a", "/bin/a", problem)
    assert ["warning: /bin/a could not be found."] == said


def test_the_reason_for_another_age_is_given_once(tmp_path):
    said: list[str] = []
    warnings = ImageWarnings(said.append)
    for name in ("a", "b", "a"):
        (tmp_path / name).touch()
        warnings.check_age(tmp_path / name, name, 1)
    assert [
        "warning: the last modified time of the binary file does not match that of the sample file for a",
        "Either this is the wrong binary or the binary has been modified since the sample file was created.",
        "warning: the last modified time of the binary file does not match that of the sample file for b",
    ] == said
