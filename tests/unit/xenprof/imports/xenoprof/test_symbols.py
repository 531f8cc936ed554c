import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenprof.imports.errors import InputError
from xenprof.imports.xenoprof.symbols import parse

KERNEL = """\
0000000000000000 A fixed_percpu_data
ffffffff81000000 T startup_64
ffffffff81000000 T _stext
ffffffff81000040 t helper
ffffffff81000060 d not_code
ffffffff81000080 T _etext
ffffffff83000000 T start_kernel
ffffffffc0001000 t later\t[b]
ffffffffc0001010 T last\t[b]
ffffffffc0000ff0 t early\t[a]
ffffffffc0000800 d data\t[a]
ffffffffc0000100 t bpf_prog_1\t[bpf]
"""


def functions(text):
    return [(symbol.name, symbol.address, symbol.size) for symbol in text.functions]


def test_functions_are_those_of_the_text_each_up_to_the_next():
    table = parse(KERNEL.encode(), "kallsyms")

    assert [
        ("startup_64", 0xFFFFFFFF81000000, 0x40),
        ("helper", 0xFFFFFFFF81000040, 0x40),
    ] == functions(table.text)


def test_a_module_owns_the_pages_of_its_functions_and_generated_code_is_none():
    table = parse(KERNEL.encode(), "kallsyms")

    assert [
        ("a", 0xFFFFFFFFC0000000, 0xFFFFFFFFC0001000),
        ("b", 0xFFFFFFFFC0001000, 0xFFFFFFFFC0002000),
    ] == [(module.name, module.start, module.end) for module in table.modules]


def test_a_map_of_xen_is_read_too():
    text = "0xffff82d040200000 T _stext\n0xffff82d040201000 t x86_64/entry.S#f\n0xffff82d040300000 T _etext\n"

    table = parse(text.encode(), "map")

    assert [("_stext", 0x1000), ("x86_64/entry.S#f", 0xFF000)] == [
        (symbol.name, symbol.size) for symbol in table.text.functions
    ]


def test_a_name_may_hold_bytes_that_end_lines_of_text():
    table = parse(KERNEL.encode().replace(b"helper", b"h\x85\x1dl"), "kallsyms")

    assert "h\x85\x1dl" == functions(table.text)[1][0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "all addresses are 0"),
        ("0000000000000000 T _stext\n", "all addresses are 0: read /proc/kallsyms as root"),
        ("ffffffff81000000 T main\n", "no _stext, or no _etext"),
        ("ffffffff81000000 T _etext\nffffffff82000000 T _stext\n", "no _stext, or no _etext"),
        ("0000000000001000 T _stext\nffffffff82000000 T _etext\n", "larger than any kernel's code"),
        ("what is this\n", "line 1: not a symbol"),
        ("ffffffff81000000 T a\t[../../etc]\n", "line 1: not a symbol"),
        ("fffffffffffffffff T a\n", "line 1: not a symbol"),
    ],
)
def test_what_is_no_symbol_table_is_refused_with_the_reason(text, message):
    with pytest.raises(InputError, match=message) as caught:
        parse(text.encode(), "some.map")

    assert str(caught.value).startswith("some.map")


LINES = st.builds(
    "{:x} {} {}{}".format,
    st.integers(0, 2**65),
    st.sampled_from("tTwWdA?"),
    st.sampled_from(["_stext", "_etext", "f", "g", ""]),
    st.sampled_from(["", "\t[m]", "\t[bpf]", " [n"]),
)


@given(st.one_of(st.binary(), st.lists(LINES).map(lambda lines: "\n".join(lines).encode())))
def test_any_bytes_are_a_table_or_refused(data):
    try:
        table = parse(data, "some.map")
    except InputError as error:
        assert "\n" not in str(error)
    else:
        for text in (table.text, *table.modules):
            sizes = {symbol.address: symbol.size for symbol in text.functions}  # some are aliases
            assert sum(sizes.values()) <= text.end - text.start
