import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.samplepaths import parse_path
from xenprof.errors import BadSamplePath
from xenprof.profile.flat import ImageName, SampleKey
from xenprof.store.samplepath import format_path

HTTPD = ImageName("root", "/usr/sbin/httpd")
LIBC = ImageName("root", "/lib64/libc-2.5.so")
GUEST = ImageName("kern", "domain1-kernel")
HEAP = ImageName("anon", "[heap]", 1234, 0x7F0000000000, 0x7F0000001000)

VECTORS = [
    (
        SampleKey(HTTPD, LIBC, "CPU_CLK_UNHALTED", 100000, 0),
        "{root}/usr/sbin/httpd/{dep}/{root}/lib64/libc-2.5.so/CPU_CLK_UNHALTED.100000.0.all.all.all",
    ),
    (
        SampleKey(GUEST, GUEST, "LLC_MISSES", 6000, 0x41, 10, 11, 3),
        "{kern}/domain1-kernel/{dep}/{kern}/domain1-kernel/LLC_MISSES.6000.65.10.11.3",
    ),
    (
        SampleKey(HTTPD, HEAP, "E", 1, 1),
        "{root}/usr/sbin/httpd/{dep}/{anon:[heap]}/1234.0x7f0000000000.0x7f0000001000/E.1.1.all.all.all",
    ),
    (
        SampleKey(HTTPD, HTTPD, "E", 1, 1, callee=LIBC),
        "{root}/usr/sbin/httpd/{dep}/{root}/usr/sbin/httpd/{cg}/{root}/lib64/libc-2.5.so/E.1.1.all.all.all",
    ),
]

components = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12
).filter(lambda text: text not in (".", "..") and not text.startswith("{"))
addresses = st.integers(0, 2**64 - 1)
roots = st.lists(components, min_size=1, max_size=4).map(
    lambda parts: ImageName("root", "/" + "/".join(parts))
)
kerns = components.map(lambda name: ImageName("kern", name))
anons = st.builds(
    ImageName,
    st.just("anon"),
    st.sampled_from(["anon", "[heap]", "[vdso]", "[stack]"]),
    st.integers(0, 2**31),
    addresses,
    addresses,
)
tasks = st.none() | st.integers(0, 2**31)
keys = st.builds(
    SampleKey,
    roots | kerns,
    roots | kerns | anons,
    st.from_regex(r"[A-Z0-9_]{1,20}", fullmatch=True),
    st.integers(0, 2**32),
    st.integers(0, 2**32),
    tasks,
    tasks,
    tasks,
    st.none() | roots | kerns | anons,
)


@pytest.mark.parametrize(("key", "path"), VECTORS)
def test_formats_as_the_daemon_does(key: SampleKey, path: str) -> None:
    assert path == format_path(key)


@pytest.mark.parametrize(("key", "path"), VECTORS)
def test_parses_as_the_reader_does(key: SampleKey, path: str) -> None:
    assert key == parse_path(path)


@given(keys)
def test_every_key_survives_its_path(key: SampleKey) -> None:
    assert key == parse_path(format_path(key))


@given(st.text(max_size=60))
def test_any_path_parses_or_is_a_bad_sample_path(text: str) -> None:
    try:
        key = parse_path(text)
    except BadSamplePath:
        return
    assume("." not in key.event)
    assert key == parse_path(format_path(key))


@given(
    st.lists(
        st.sampled_from(
            ["{root}", "{kern}", "{dep}", "{cg}", "{anon:a}", "{anon}", "a", "", "..", "1.0x2.0x3"]
        ),
        max_size=9,
    )
)
def test_any_order_of_the_grammars_words_parses_or_is_refused(words: list[str]) -> None:
    try:
        key = parse_path("/".join([*words, "E.1.2.all.4.5"]))
    except BadSamplePath:
        return
    assert key == parse_path(format_path(key))


def test_anonymous_memory_without_a_kind_is_of_oprofile_0_9_1() -> None:
    key = parse_path("{root}/a/{dep}/{anon}/7.0x10.0x20/E.1.0.all.all.all")
    assert ImageName("anon", "anon", 7, 0x10, 0x20) == key.image


def test_event_names_with_dots_of_oprofile_0_9_2_are_read() -> None:
    key = parse_path("{root}/a/{dep}/{root}/a/INST_RETIRED.ANY_P.6000.0.all.all.all")
    assert ("INST_RETIRED.ANY_P", 6000) == (key.event, key.count)


@pytest.mark.parametrize(
    "spec", ["E.1.0.all.all", "E..0.all.all.all", ".1.0.all.all.all", "stray", "E.x.0.all.all.all"]
)
def test_a_bad_specification_is_refused_with_the_readers_message(spec: str) -> None:
    with pytest.raises(BadSamplePath) as caught:
        parse_path(f"{{root}}/a/{{dep}}/{{root}}/a/{spec}")
    assert f"parse_event_spec(): bad event specification: {spec}" == str(caught.value)


@pytest.mark.parametrize(
    "directory",
    [
        "{root}/a",
        "{root}/a/{dep}",
        "{root}/{dep}/{root}/a",
        "{kern}/a/b/{dep}/{kern}/a",
        "{anon:x}/1.0x1.0x2/{dep}/{root}/a",
        "{root}/a/{dep}/{root}/a/{cg}",
        "{root}/a/{dep}/{anon:x}/1.1.2",
        "a/{dep}/{root}/a",
    ],
)
def test_a_bad_directory_is_refused_with_the_readers_message(directory: str) -> None:
    with pytest.raises(BadSamplePath) as caught:
        parse_path(f"{directory}/E.1.0.all.all.all")
    assert f"parse_filename() invalid filename: {directory}" == str(caught.value)


@pytest.mark.parametrize(
    "key",
    [
        SampleKey(HTTPD, HTTPD, "A.B", 1, 1),
        SampleKey(HTTPD, HTTPD, "", 1, 1),
        SampleKey(ImageName("root", "relative"), HTTPD, "E", 1, 1),
        SampleKey(ImageName("root", "/a/../b"), HTTPD, "E", 1, 1),
        SampleKey(ImageName("root", "/a/{dep}/b"), HTTPD, "E", 1, 1),
        SampleKey(HTTPD, ImageName("kern", "a/b"), "E", 1, 1),
        SampleKey(HEAP, HEAP, "E", 1, 1),
        SampleKey(HTTPD, HTTPD, "E", 1, 1, tgid=-1),
    ],
)
def test_a_key_that_no_reader_could_read_back_has_no_path(key: SampleKey) -> None:
    with pytest.raises(BadSamplePath):
        format_path(key)
