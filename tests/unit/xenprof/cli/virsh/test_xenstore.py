import pytest

from tests.support.talk_host import FakeClient
from xenprof.cli.xenstore import escaped, list_main, ls_main, read_main, tree_lines
from xenprof.client import ServiceNotRunning

DEEP = [("/a", "1"), ("/a/b", "2"), ("/a/b/c", "x" * 100), ("/ab", "3")]


@pytest.fixture
def xenstore(monkeypatch, capsys, service: FakeClient):
    """Run one of the programs; return exit code, stdout, stderr."""
    monkeypatch.setattr("xenprof.cli.xenstore.Client", lambda home: service)

    def run(program, *words):
        code = program(words)
        return code, *capsys.readouterr()

    return run


def test_each_level_is_one_blank_deeper():
    assert ['b = "2"', f' c = "{"x" * 70}..."'] == list(tree_lines(DEEP, "/a", 80))


@pytest.mark.parametrize("width", [12, 20, 80, 81, 110])
def test_no_line_is_wider_than_the_screen(width):
    assert width >= max(map(len, tree_lines(DEEP, "/", width)))


def test_a_value_that_just_fits_is_not_cut():
    assert ['a = "12345"'] == list(tree_lines([("/a", "12345")], "/", 14))


def test_a_value_that_does_not_fit_ends_in_dots():
    assert ['a = "1234..."'] == list(tree_lines([("/a", "12345")], "/", 13))


def test_a_node_with_a_longer_name_is_not_below_another():
    assert ["b"] == [line.split()[0] for line in tree_lines(DEEP, "/a/", 80)][:1]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a b", "a b"),
        ("a\tb\r\n", "a\\tb\\r\\n"),
        ("\\", "\\\\"),
        ("\x07", "\\7"),
        ("é", "\\303\\251"),
    ],
)
def test_what_a_terminal_cannot_show_is_escaped(value, shown):
    assert shown == escaped(value)


def test_list_prints_the_names_of_children(xenstore):
    assert (0, "name\nconsole\ncontrol\ndevice\nnote\nscript\n", "") == xenstore(
        list_main, "/local/domain/5"
    )


def test_list_of_a_leaf_is_empty(xenstore):
    assert (0, "", "") == xenstore(list_main, "/tool")


def test_list_with_prefix_prints_paths(xenstore):
    assert "/local/domain/0\n/local/domain/5\n" == xenstore(list_main, "-p", "/local/domain")[1]


def test_read_prints_a_value(xenstore):
    assert (0, "DesktopVM\n", "") == xenstore(read_main, "/local/domain/5/name")


def test_read_with_prefix_prints_the_path_too(xenstore):
    path = "/local/domain/5/name"

    assert f"{path}: DesktopVM\n" == xenstore(read_main, "-p", path)[1]


def test_read_keeps_what_it_has_read_before_a_failure(xenstore):
    assert (1, "Domain-0\n", "xenstore-read: couldn't read path /x\n") == xenstore(
        read_main, "/local/domain/0/name", "/x"
    )


@pytest.mark.parametrize(
    ("program", "words", "message"),
    [
        (ls_main, ["/x"], "xenstore-ls: xs_directory (/x): No such file or directory"),
        (list_main, ["/x"], "xenstore-list: could not list path /x"),
        (list_main, [], "xenstore-list: Usage: xenstore-list [-h] [-p] key [...]"),
        (read_main, [], "xenstore-read: Usage: xenstore-read [-h] [-p] key [...]"),
        (ls_main, ["-h"], "xenstore-ls: Usage: xenstore-ls [-h] [-f] [path]"),
        (ls_main, ["-x"],
         "xenstore-ls: option -x not recognized\nUsage: xenstore-ls [-h] [-f] [path]"),
    ],
)  # fmt: skip
def test_a_mistake_ends_with_exit_code_1(xenstore, program, words, message):
    assert (1, "", f"{message}\n") == xenstore(program, *words)


def test_without_a_service_it_says_how_to_start_it(xenstore, service):
    down = ServiceNotRunning(service.home)
    service.answers["/api/v1/xenstore"] = down

    assert (1, "", f"xenstore-ls: {down}\n") == xenstore(ls_main)
