import pytest

from xenprof.service import commands
from xenprof.service.arguments import BadArguments
from xenprof.service.commands import Command, CommandLog, read_log


def logged(path, count, max_bytes):
    log = CommandLog(path, max_bytes)
    for number in range(count):
        log.append(number, Command("pause", f"d{number}"))
    log.close()


def test_a_short_log_is_one_file(tmp_path):
    logged(tmp_path / "commands.jsonl", 5, 10_000)
    assert ["commands.jsonl"] == [path.name for path in tmp_path.iterdir()]


def test_a_long_log_is_read_with_the_file_before_it(tmp_path):
    logged(tmp_path / "commands.jsonl", 9, 500)
    assert 2 == len(list(tmp_path.iterdir()))
    assert [f"d{n}" for n in range(9)] == [
        command.domain for _, command in read_log(tmp_path / "commands.jsonl")
    ]


def test_the_files_of_a_log_do_not_grow_without_bound(tmp_path):
    logged(tmp_path / "commands.jsonl", 200, 500)
    assert 2 == len(list(tmp_path.iterdir()))
    assert max(path.stat().st_size for path in tmp_path.iterdir()) < 700


def test_a_log_whose_beginning_is_gone_is_not_replayed_in_part(tmp_path):
    logged(tmp_path / "commands.jsonl", 200, 500)
    with pytest.raises(BadArguments, match=r"its first \d+ commands are no longer there"):
        read_log(tmp_path / "commands.jsonl")


def test_a_new_log_forgets_the_old_one(tmp_path):
    logged(tmp_path / "commands.jsonl", 9, 500)
    logged(tmp_path / "commands.jsonl", 1, 500)
    assert ["commands.jsonl"] == [path.name for path in tmp_path.iterdir()]


def test_a_disk_that_stays_full_does_not_prevent_the_end(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(commands, "_new_log", lambda path: open("/dev/full", "w"))  # noqa: PTH123, SIM115
    log = CommandLog(tmp_path / "commands.jsonl")
    log.append(0, Command("pause", "a"))
    log.close()

    assert [message.partition(": ")[2] for message in caplog.messages] == [
        "command not logged: No space left on device",
        "commands not logged: No space left on device",
    ]


def test_a_log_that_cannot_be_begun_anew_goes_on_in_the_old_file(tmp_path):
    (tmp_path / "commands.jsonl.new").mkdir()
    logged(tmp_path / "commands.jsonl", 30, 500)
    assert [f"d{n}" for n in range(30)] == [
        command.domain for _, command in read_log(tmp_path / "commands.jsonl")
    ]


def test_a_command_that_is_nested_too_deep_is_refused(tmp_path):
    nested: object = 0
    for _ in range(900):
        nested = [nested]
    log = CommandLog(tmp_path / "commands.jsonl")
    with pytest.raises(BadArguments, match="the body is nested too deep"):
        log.append(0, Command("pause", "a", {"deep": nested}))
    log.close()
