import pytest

from xenprof.service.reading import page_of


def body(markdown: str) -> str:
    return page_of(markdown, "../").partition("</nav>\n")[2].partition("\n</body>")[0]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("# A b", '<h1 id="a-b">A b</h1>'),
        ("one\ntwo", "<p>one two</p>"),
        ("`a<b>` [x](#y)", '<p><code>a&lt;b&gt;</code> <a href="#y">x</a></p>'),
        ("[x](javascript:1)", "<p>[x](javascript:1)</p>"),
        ("<script>", "<p>&lt;script&gt;</p>"),
        (
            "| a | b |\n|---|---|\n| 1 | `x` |",
            '<table>\n<thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>\n'
            '<tbody>\n<tr><td data-head="a">1</td><td data-head="b"><code>x</code></td></tr>\n'
            "</tbody>\n</table>",
        ),
    ],
)
def test_markdown_becomes_a_page(markdown: str, expected: str):
    assert expected == body(markdown)


def test_the_title_is_that_of_the_document():
    assert "<title>T &amp; U - xenprof</title>" in page_of("# T & U", "./")
