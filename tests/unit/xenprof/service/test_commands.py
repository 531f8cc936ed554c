import pytest

from tests.support.fake_host import FakeHost
from xenprof.service.arguments import BadArguments
from xenprof.service.commands import Command, perform, read_log
from xenprof.session.sessions import Sessions

DEEP = '{"a":' * 100_000


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[]", "it must be an object"),
        ('{"name": "pause"}', "'time_ns' is missing"),
        ('{"time_ns": 1}', "'name' is missing"),
        ('{"time_ns": true, "name": "x"}', "'time_ns' must be a whole number, not True"),
        ('{"time_ns": 1, "name": ["x"]}', "'name' must be a text"),
        ('{"time_ns": 1, "name": "pause", "domain": 1}', "'domain' must be a text, not 1"),
        ('{"time_ns": 1, "name": "pause", "arguments": []}', "'arguments' must be an object"),
        ('{"time_ns": 1, "name": "pause", "x": 1}',
         "'x' is unknown (it takes: time_ns, name, domain, arguments)"),
    ],
)  # fmt: skip
def test_a_line_of_a_log_that_is_no_command_is_named(tmp_path, line, reason):
    log = tmp_path / "commands.jsonl"
    log.write_text(f"\n{line}\n")

    with pytest.raises(BadArguments) as refused:
        read_log(log)
    assert str(refused.value) == f"{log}:2: not a command: {reason}"


@pytest.mark.parametrize("line", ["{", DEEP, '{"time_ns": ' + "9" * 5000 + "}"])
def test_a_line_of_a_log_that_is_no_json_is_named(tmp_path, line):
    log = tmp_path / "commands.jsonl"
    log.write_text(line)

    with pytest.raises(BadArguments, match=r"commands\.jsonl:1: not a command: "):
        read_log(log)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a\0b", "Argument for --save, 'a\\x00b', is not valid argument."),
        ("a\nb", "Argument for --save, 'a\\nb', is not valid argument."),
        ("\ud800", "Argument for --save, '\\ud800', is not valid argument."),
        ("x" * 300, "Argument for --save, xxxxxxxxxxxxxxxxxxxx..., has 300 bytes; "
                    "the name of a file has at most 255"),
    ],
)  # fmt: skip
def test_what_no_file_can_be_called_is_no_name_of_a_session(tmp_path, name, said):
    host = FakeHost("Domain-0")
    sessions = Sessions(host, tmp_path)

    with pytest.raises(BadArguments) as refused:
        perform(host, sessions, Command("opcontrol save", "0", {"name": name}))
    assert str(refused.value) == said


def test_what_no_file_can_be_called_is_no_session_directory(tmp_path):
    host = FakeHost("Domain-0")
    setup = {"session_dir": "/a/" + "x" * 300}

    with pytest.raises(BadArguments, match=r"for --session-dir, .* has 300 bytes"):
        perform(host, Sessions(host, tmp_path), Command("opcontrol reset", "0", {"setup": setup}))
