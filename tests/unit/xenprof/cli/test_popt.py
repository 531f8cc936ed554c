import pytest

from xenprof.cli.popt import Option, PoptError, help_text, parse

OPTIONS = (
    Option("symbols", "l", "list symbols"),
    Option("sort", "s", "sort", "keys"),
    Option("reverse-sort", "r", "the other way round"),
    Option("session-dir", "", "directory", "dir"),
)

COMMAND_LINES = {
    "long with equals sign": (["--sort=vma"], [("sort", "vma")], []),
    "long with a word": (["--sort", "vma"], [("sort", "vma")], []),
    "value that looks like an option": (["--sort", "-l"], [("sort", "-l")], []),
    "empty value": (["--sort="], [("sort", "")], []),
    "short with a word": (["-s", "vma"], [("sort", "vma")], []),
    "short and value in one": (["-svma"], [("sort", "vma")], []),
    "short with equals sign": (["-s=vma"], [("sort", "vma")], []),
    "bundle": (["-lrs", "vma"], [("symbols", ""), ("reverse-sort", ""), ("sort", "vma")], []),
    "mixed with arguments": (["a", "-l", "b"], [("symbols", "")], ["a", "b"]),
    "end of options": (["-l", "--", "-r"], [("symbols", "")], ["-r"]),
    "a dash alone": (["-"], [], ["-"]),
    "typographic dashes": (["–symbols", "–l"], [("symbols", ""), ("symbols", "")], []),  # noqa: RUF001
}


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_a_command_line_is_read_as_popt_does(name):
    words, options, arguments = COMMAND_LINES[name]
    assert parse(OPTIONS, words) == (options, arguments)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sym"], "--sym: unknown option"),
        (["--sym=1"], "--sym=1: unknown option"),
        (["-lx"], "-x: unknown option"),
        (["--sort"], "--sort: missing argument"),
        (["-ls"], "-s: missing argument"),
        (["--symbols=1"], "--symbols=1: option does not take an argument"),
        (["--symbols="], "--symbols=: option does not take an argument"),
        (["-l=1"], "-l=1: option does not take an argument"),
    ],
)
def test_a_wrong_word_is_named(words, message):
    with pytest.raises(PoptError) as caught:
        parse(OPTIONS, words)
    assert str(caught.value) == message


def test_help_lists_every_option_once():
    text = help_text("opreport", OPTIONS, "")
    assert [text.count(f"--{option.long}") for option in OPTIONS] == [1, 1, 1, 1]
