import pytest

from tests.support.fake_host import FakeHost
from xenprof.service.own_home import CannotServe
from xenprof.service.server import ServeSettings, serve


def test_a_log_of_commands_that_is_a_link_is_told_in_a_line(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "commands.jsonl").symlink_to(tmp_path / "theirs")

    with pytest.raises(CannotServe, match=rf"^{home}/commands.jsonl: Too many levels of symbolic"):
        serve(ServeSettings(home, "127.0.0.1:0"), lambda: [FakeHost("Domain-0")])


def test_a_service_that_cannot_write_its_roots_names_the_file(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "domains").write_text("in the way")

    with pytest.raises(CannotServe, match=f"{home}/domains"):
        serve(ServeSettings(home, "127.0.0.1:0"), lambda: [FakeHost("Domain-0")])
