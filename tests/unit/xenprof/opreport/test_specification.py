import pytest

from xenprof.errors import UsageError
from xenprof.opreport.names import long_name
from xenprof.opreport.specification import parse, split_differential
from xenprof.profile.flat import ImageName, SampleKey

PROG = ImageName("root", "/usr/bin/prog")
LIBC = ImageName("root", "/lib64/libc-2.5.so")
NETBK = ImageName("kern", "netbk")
KEY = SampleKey(PROG, LIBC, "DTLB_MISSES", 500, 15, tgid=7, tid=8, cpu=1)
ALL = SampleKey(NETBK, NETBK, "DTLB_MISSES", 500, 15)

SPECIFICATIONS = [
    # words, matches KEY, matches ALL
    ([], True, True),
    (["image:/usr/bin/prog"], True, False),
    (["image:/lib64/libc-2.5.so"], False, False),
    (["lib-image:/lib64/*"], True, False),
    (["image:*prog"], True, False),  # patterns are taken as typed, wherever one is
    (["image:*net*"], False, True),
    (["image:netbk"], False, False),
    (["image-exclude:*libc*"], False, True),
    (["image-exclude:libc*"], True, True),
    (["*libc*"], True, False),
    (["image-exclude:/lib64/libc-2.5.so"], False, True),
    (["/usr/bin/../bin/prog"], True, False),
    (["/lib64/libc-2.5.so", "/netbk"], True, True),
    (["netbk"], False, True),
    (["event:DTLB_MISSES,OTHER"], True, True),
    (["event:OTHER"], False, False),
    (["event:all"], True, True),
    (["count:500", "unit-mask:0xf"], True, True),
    (["count:501"], False, False),
    (["unit-mask:all"], True, True),
    (["tgid:7"], True, False),
    (["tid:7"], False, False),
    (["cpu:0,1"], True, False),
]


@pytest.mark.parametrize(("words", "task", "everyone"), SPECIFICATIONS)
def test_a_specification_selects_by_every_word(words, task, everyone):
    specification = parse(words)
    assert (specification.matches(KEY), specification.matches(ALL)) == (task, everyone)


def test_a_session_can_be_excluded():
    specification = parse(["session:current,before,after", "session-exclude:before"])
    assert specification.sessions == ("current", "after")


@pytest.mark.parametrize(
    ("word", "selects_all"),
    [("count:", False), ("event:", False), ("image:,", False), ("image:", True), ("lib-image:", True)],
)  # fmt: skip
def test_an_empty_list_selects_nothing_of_numbers_and_everything_of_images(word, selects_all):
    assert selects_all == parse([word]).matches(ALL)


@pytest.mark.parametrize(
    ("word", "sessions"), [("session:", ("current",)), ("session:,", ("",)), ("session:a,,b", ("a", "", "b"))]
)  # fmt: skip
def test_no_session_is_the_current_one(word, sessions):
    assert sessions == parse([word]).sessions


@pytest.mark.parametrize("word", ["image:*/srv/*", "image-exclude:*/srv/*", "*/srv/*"])
def test_patterns_are_for_all_names_of_an_image(word):
    def names(image):
        return long_name(image), f"/srv/archive{long_name(image)}"

    specification = parse([word])
    found = (specification.matches(KEY), specification.matches(KEY, names))
    assert ((True, False) if "exclude" in word else (False, True)) == found


@pytest.mark.parametrize("word", ["cpu:one", "count:1,,2", "tid:1.5"])
def test_a_value_that_is_none_is_refused(word):
    with pytest.raises(UsageError, match=f"invalid profile specification {word}: "):
        parse([word])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a", "b"], (["a", "b"], None)),
        (["{", "a", "}", "{", "b", "}"], (["a"], ["b"])),
        (["c", "{", "a", "}", "d", "{", "b", "}"], (["c", "d", "a"], ["c", "d", "b"])),
        (["{}", "{", "b", "}"], ([], ["b"])),
        (["c", "{", "}", "{", "}"], (["c"], ["c"])),
        (["{", "}", "{", "}"], ([], None)),
    ],
)
def test_words_outside_of_braces_belong_to_both_profiles(words, expected):
    assert split_differential(words) == expected


@pytest.mark.parametrize(
    "words",
    ["{", "}", "{ a }", "{ a } { b } { c }", "{ { a } }", "{ a } }"],
)
def test_braces_that_make_no_two_groups_are_refused(words):
    with pytest.raises(UsageError, match=r"^invalid profile specification "):
        split_differential(words.split())
