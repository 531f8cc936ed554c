"""Output of the tools in a guest's console, for fixed /proc files."""

from pathlib import Path

import pytest

from tests.support.console_guest import guest
from xenprof.cli.console.session import run_script
from xenprof.cli.console.shell import Shell
from xenprof.cli.console.table import COMMANDS, help_text

EXPECTED = Path(__file__).parent / "expected"
LINES = {
    "vmstat": "vmstat 5 2",
    "iostat": "iostat 5 2",
    "iostat-k": "iostat -k -t",
    "iostat-x": "iostat -x 5 2",
    "iostat-xk": "iostat -d -x -k 5 2",
    "iostat-c": "iostat -c",
    "top": "top -b -n 2 -d 5",
    "free": "free",
    "free-mt": "free -m -t",
    "ps": "ps -ef",
    "poweroff": "poweroff",
    "help": "help",
}


@pytest.mark.parametrize("name", LINES)
def test_a_tool_prints_what_it_always_did(name, capsys, update_golden):
    shell = Shell(guest(), COMMANDS, help_text)
    run_script(shell, [LINES[name]])
    text = capsys.readouterr().out

    path = EXPECTED / f"{name}.txt"
    if update_golden:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
