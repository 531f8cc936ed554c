"""`xenprof import folded`: lines of stacks and numbers."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.importing import balance, by_symbol, imported, profile, refused
from xenprof.imports.recording import LARGEST_TOTAL

EVENT = "samples:1:0"


def written(tmp_path, text):
    path = tmp_path / "stacks.folded"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_equal_lines_add_up(tmp_path):
    imported("folded", written(tmp_path, "a;b 3\na;b 4\na 1\n"), tmp_path / "out")

    assert {
        ("Domain-0", "user", "program", "b", EVENT): 7,
        ("Domain-0", "user", "program", "a", EVENT): 1,
    } == by_symbol(profile(tmp_path / "out"))


def test_marks_of_our_own_tell_domain_image_and_layer(tmp_path):
    text = "{web};httpd`main;xen-syms`do_grant_[h];{Domain-0};[netbk]_[k] 9\n"
    imported("folded", written(tmp_path, text), tmp_path / "out")

    frames = profile(tmp_path / "out").frames
    assert {
        ("web", "user", "httpd", "main"),
        ("web", "hypervisor", "xen-syms", "do_grant"),
        ("Domain-0", "kernel", "netbk", ""),
    } == {(f.domain, str(f.layer), f.image, f.symbol) for f in frames}


def test_the_event_and_its_period_are_whatever_the_user_says(tmp_path):
    options = ("--event", "CPU_CLK.X:u", "--period", "1000")
    imported("folded", written(tmp_path, "a 3\n"), tmp_path / "out", *options)

    assert ["CPU_CLK_X_u:1000:0"] == [kind.text for kind in profile(tmp_path / "out").types]


word = st.one_of(
    st.sampled_from(["main", "f_[k]", "x_[h]", "[unknown]", "{web}", "a`b", "..", ".L1", "{dep}`x", "domain1-kernel`q"]),
    st.text(st.characters(codec="utf-8", exclude_characters=";\n\r\0"), min_size=1, max_size=8),
)  # fmt: skip
line = st.tuples(st.lists(word, min_size=1, max_size=5), st.integers(0, 1 << 40))


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(line, min_size=1, max_size=8))
def test_samples_in_are_samples_stored_and_read_back(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("folded")
    text = "".join(f"x;{';'.join(words)};end {count}\n" for words, count in rows)
    total = sum(count for _, count in rows)
    file, output = written(folder, text), folder / "out"
    if not total:
        assert "no samples" == refused("folded", file, output)
        return

    out = imported("folded", file, output)

    assert [(total, total, 0)] == balance(out)
    assert (total,) == profile(output).totals
    assert (total,) == profile(output, flat=True).totals


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "img`c", "c_[k]"]), st.integers(1, 1 << 44)),
        min_size=1,
        max_size=8,
    )
)
def test_sample_files_tell_each_symbol_with_counts_beyond_32_bits(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("folded")
    expected: Counter = Counter()
    for name, count in rows:
        image, _, symbol = name.removesuffix("_[k]").rpartition("`")
        layer = "kernel" if name.endswith("_[k]") else "user"
        image = image or {"kernel": "vmlinux", "user": "program"}[layer]
        expected["Domain-0", layer, image, symbol, EVENT] += count
    text = "".join(f"{name} {count}\n" for name, count in rows)

    imported("folded", written(folder, text), folder / "out")

    assert dict(expected) == by_symbol(profile(folder / "out", flat=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no samples"),
        ("a;b 0\n", "no samples"),
        ("a;b\n", "line 1: not a stack and a number: 'a;b'"),
        ("5\n", "line 1: not a stack and a number: '5'"),
        ("a -3\n", "line 1: -3 is a negative number of samples"),
        ("a 1.5\n", "line 1: 1.5 is not a whole number of samples"),
        ("{web} 3\n", "line 1: no function in '{web} 3'"),
        (f"a {LARGEST_TOTAL + 1}\n", f"line 1: more than {LARGEST_TOTAL} samples"),
        (f"a {LARGEST_TOTAL}\nb 1\n", f"line 2: more than {LARGEST_TOTAL} samples in all"),
        (f"a {'9' * 5000}\n", f"line 1: more than {LARGEST_TOTAL} samples"),
        ("a 3 4\nb 1 1\n", "two numbers a line: a comparison, not a profile"),
        ("a 3", "line 1: truncated: the last line has no end"),
        (b"\xff 3\n", "line 1: not UTF-8"),
        (b"a\0 3\n", "line 1: binary data, text is wanted"),
        ("a" * ((1 << 20) + 9) + " 1\n", "line 1: longer than 1048576 bytes"),
    ],
)
def test_what_is_not_folded_is_refused_in_one_line(tmp_path, text, message):
    assert message == refused("folded", written(tmp_path, text), tmp_path / "out")


def test_a_missing_file_is_told(tmp_path):
    assert "No such file or directory" == refused("folded", tmp_path / "none", tmp_path / "out")


def test_an_output_that_exists_is_left_alone(tmp_path):
    out = tmp_path / "out"
    out.mkdir()

    message = refused("folded", written(tmp_path, "a 1\n"), out)

    assert f"{out} exists already: remove it, or name another --output" == message


def test_an_output_that_cannot_be_made_is_told(tmp_path):
    file = written(tmp_path, "a 1\n")

    message = refused("folded", file, file / "below")

    assert f"cannot write {file}/below: Not a directory" == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--domain", ""), "--domain: a name of 1 to 80 printable characters is wanted"),
        (("--cpu-type", "z80"), "unknown"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(tmp_path, options, message):
    told = refused("folded", written(tmp_path, "a 1\n"), tmp_path / "out", *options)
    assert message in told or "z80" in told
