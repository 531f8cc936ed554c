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


def stacks_of(tmp_path, text) -> dict:
    """Import a file; return counts by the (image, symbol) of the steps."""
    imported("folded", written(tmp_path, text), tmp_path / "out")
    found = profile(tmp_path / "out")
    assert {"Domain-0"} == {frame.domain for frame in found.frames}
    return {
        tuple((found.frames[step].image, found.frames[step].symbol) for step in stack): count
        for stack, (count,) in zip(found.stacks, found.values.tolist(), strict=True)
    }


def symbols_of(tmp_path, text) -> dict:
    """Import a file; return counts by the functions of the stack."""
    return {
        tuple(symbol for _, symbol in stack): count
        for stack, count in stacks_of(tmp_path, text).items()
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "{main};App->run;{closure};strlen 3\n{main};{closure:/srv/a.php:12};usleep 2\n",
            {
                ("{main}", "App->run", "{closure}", "strlen"): 3,
                ("{main}", "{closure:/srv/a.php:12}", "usleep"): 2,
            },
        ),
        ("{main} 4\n", {("{main}",): 4}),
        ("core::ops;{{closure}};{impl#0} 3\n", {("core::ops", "{{closure}}", "{impl#0}"): 3}),
        ("{anonymous};{};(root) 2\n", {("{anonymous}", "{}", "(root)"): 2}),
        (
            "{main};nginx`ngx_write 1\n{main};PDO::query 1\n",
            {("{main}", "ngx_write"): 1, ("{main}", "PDO::query"): 1},
        ),
    ],
)
def test_names_in_braces_are_functions(tmp_path, text, expected):
    assert expected == symbols_of(tmp_path, text)


@pytest.mark.parametrize(
    ("word", "image", "symbol"),
    [
        ("System.Collections.Generic.List`1.Add", "program", "System.Collections.Generic.List`1.Add"),
        ("App!Task`1[System.Int32].Invoke()", "program", "App!Task`1[System.Int32].Invoke()"),
        ("Dictionary`2", "program", "Dictionary`2"),
        ("Lazy`1+Boxed.Get", "program", "Lazy`1+Boxed.Get"),
        ("M.N``2(A)", "program", "M.N``2(A)"),
        ("Core`List`1.Add", "Core", "List`1.Add"),
        ("unix`_sys_sysenter", "unix", "_sys_sysenter"),
        ("libc.so.1`0x7fff1234", "libc.so.1", "0x7fff1234"),
        ("genunix`ioctl+0x9b", "genunix", "ioctl+0x9b"),
        ("libsystem.dylib`__psynch_cvwait", "libsystem.dylib", "__psynch_cvwait"),
        ("`anonymous namespace'::f", "program", "`anonymous namespace'::f"),
        ("A::`vftable'", "program", "A::`vftable'"),
        ("[main tid=4711]", "program", "[main tid=4711]"),
        ("[libc.so.6]", "libc.so.6", ""),
        ("[anon]", "[anon]", ""),
        ("java/util/List.add_[j]", "program", "java/util/List.add"),
        ("java/util/List.add_[0]", "program", "java/util/List.add"),
        ("java/util/List.add_[1]", "program", "java/util/List.add"),
        ("", "[unknown]", ""),
    ],
)  # fmt: skip
def test_a_step_is_split_into_image_and_function(tmp_path, word, image, symbol):
    ((_, step, _),) = stacks_of(tmp_path, f"a;{word};b 5\n")

    assert (image, symbol) == step


@pytest.mark.parametrize(
    "text",
    [
        "a;b 1\na;c 2",
        "\ufeffa;b 1\na;c 2\n",
        "a;b 1\r\na;c 2\r\n".encode("utf-16"),
        b"\xfe\xff" + "a;b 1\na;c 2".encode("utf-16-be"),
        "# austin: 3.3.0\n# mode: wall\n\na;b 1\na;c 2\n\n# duration: 695345\n",
        "a;b 1.0\na;c 2.\n",
        "a;b; 1\na;c;\t2  \n",
    ],
    ids=["no end", "BOM", "UTF-16LE", "UTF-16BE", "comments", "fractions of 0", "blanks"],
)
def test_edges_of_text_are_read(tmp_path, text):
    assert {("a", "b"): 1, ("a", "c"): 2} == symbols_of(tmp_path, text)


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
        (
            "a;b 1.5\n",
            "line 1: 1.5 is not a whole number of samples: multiply all counts, as in "
            "awk '{$NF *= 1000} 1'",
        ),
        ("; 3\n", "line 1: no function in '; 3'"),
        ("# austin: 3.3.0\n\n# duration: 1\n", "no samples"),
        ("a 3\nb;c", "line 2: not a stack and a number: 'b;c'"),
        (f"a {LARGEST_TOTAL + 1}\n", f"line 1: more than {LARGEST_TOTAL} samples"),
        (f"a {LARGEST_TOTAL}\nb 1\n", f"line 2: more than {LARGEST_TOTAL} samples in all"),
        (f"a {'9' * 5000}\n", f"line 1: more than {LARGEST_TOTAL} samples"),
        ("a 3 4\nb 1 1\n", "two numbers a line: a comparison, not a profile"),
        (b"a\0 3\n", "line 1: binary data, text is wanted"),
        ("a 3\n".encode("utf-32"), "UTF-32; UTF-8 is wanted"),
        (b"\xff\xfea\0 ", "marked as UTF-16, but it is not"),
        (b"\xff 3\n", "line 1: not UTF-8"),
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
