"""What `xenprof advise --write` writes is an experiment that runs."""

from tests.support.e2e.host import shell


def test_a_written_file_runs(tmp_path):
    written = shell(tmp_path, f"xenprof advise --scenario grumble --write {tmp_path}/advice")
    path = min((tmp_path / "advice").glob("*.toml"))
    done = shell(tmp_path, f"xenprof experiment {path} --quick --output {tmp_path}/out")

    assert (0, 0) == (written.returncode, done.returncode), written.stderr + done.stderr
    assert (tmp_path / "out" / "results.json").exists()
