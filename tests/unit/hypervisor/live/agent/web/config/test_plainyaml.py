import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.live.agent.web.config.plainyaml import NotPlain, read


def plain(node):
    """Return what a node holds, without its lines."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "text",
    [
        "a: b\n",
        "---\na: b\n",
        "a: b  # c\n# d\n\n",
        "a:\n  b: c\n  d:\n    e: f\ng: h\n",
        "a: 'it''s'\n",
        'a: "x\\"y\\\\z\\n"\n',
        "a: '#no comment'\n",
        "a: b#c\n",
        "a: $2y$04$abc./\n",
        "a: true\nb: no\nc: Off\nd: YES\n",
        "a: 'true'\n",
        "a: 12\nb: '12'\n",
        "a:\nb: ~\nc: null\n",
        "a: []\nb: {}\n",
        "a: [x, 'y z', 3]\n",
        "a: [x, y,]\n",
        "a:\n- x\n- 'y'\nb: z\n",
        "a:\n  - x\n  - y\n",
        "'quoted key': 1\n",
        '"": a\n',
        "a: /etc/ssl/key.pem\n",
        "a: ./key.pem\nb: ../key.pem\n",
        "a: max-age=31536000; includeSubDomains\n",
        "a: b c  d\n",
        "X-Frame-Options: deny\r\nb: c\r\n",
    ],
)
def test_it_is_read_as_yaml_reads_it(text):
    assert yaml.safe_load(text) == plain(read(text))


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "{}\n", "---\n", "null\n"])
def test_a_file_without_keys_holds_none(text):
    assert {} == plain(read(text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: b\n\tc: d\n", 2),
        ("a: &x b\n", 1),
        ("a: *x\n", 1),
        ("a: !!str b\n", 1),
        ("a: |\n  b\n", 1),
        ("a: >\n  b\n", 1),
        ("a: {b: c}\n", 1),
        ("a: [b\n", 1),
        ("a: [b, [c]]\n", 1),
        ("a: [b, , c]\n", 1),
        ("a: [&x]\n", 1),
        ("a: b\n---\nc: d\n", 2),
        ("%YAML 1.2\n", 1),
        ("a: b\na: c\n", 2),
        ("a: b\n  c: d\n", 2),
        ("a:\n    b: c\n  d: e\n", 3),
        ("a: b: c\n", 1),
        ("a: b:\n", 1),
        ("- a\n", 1),
        ("abc\n", 1),
        ("a:b\n", 1),
        ("yes: a\n", 1),
        ("12: a\n", 1),
        ("<<: a\n", 1),
        ("=: a\n", 1),
        ("a: =\n", 1),
        ("a: 010\n", 1),
        ("a: 1.5\n", 1),
        ("a: .5\n", 1),
        ("a: 1:30\n", 1),
        ("a: 2026-01-01\n", 1),
        ("a: +1\n", 1),
        ("? a\n", 1),
        ('a: "b\n', 1),
        ('a: "\\x41"\n', 1),
        ("a: 'b'c\n", 1),
        ("a: @b\n", 1),
        ("a: `b`\n", 1),
        ("  a: b\nc: d\n", 2),
        ("a:\n- b\n  c: d\n", 3),
        ("a: b\x00\n", 1),
        ("a: b\u2028c: d\n", 1),
    ],
)
def test_the_rest_of_yaml_is_refused_with_its_line(text, line):
    with pytest.raises(NotPlain, match=f"^line {line}: "):
        read(text)


@given(st.text(st.sampled_from("ab:#-'\"\\[]{},&*!|>%@? \n~01.=<y$/")))
def test_whatever_is_read_is_what_yaml_reads(text):
    try:
        ours = plain(read(text))
    except NotPlain:
        return
    assert (yaml.safe_load(text) or {}) == ours


def test_values_know_their_lines():
    node = read("a:\n  b: c\n\n  d: e\n")
    assert isinstance(node.value, dict)
    inner = node.value["a"].value
    assert isinstance(inner, dict)

    assert [1, 2, 4] == [node.value["a"].line, *(inner[key].line for key in "bd")]
