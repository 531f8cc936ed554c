from pathlib import Path

import pytest

from xenprof.cli.main import main


def test_a_folder_without_a_service_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "hosts").write_text("127.0.0.1:9\n")
    ended = main(["targets", "--homes", str(tmp_path), "--list", str(tmp_path / "hosts")])
    printed = capsys.readouterr()

    assert (0, f"note: no service runs on {tmp_path} or on a folder in it\n") == (
        ended,
        printed.err,
    )
    assert '"127.0.0.1:9"' in printed.out
