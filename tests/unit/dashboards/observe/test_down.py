"""What is written for the servers goes when they are ended."""

from dataclasses import replace
from pathlib import Path

from dashboards.observe.configs import configs, every_name
from dashboards.observe.guard import Guard
from dashboards.observe.servers import down
from tests.support.observing import SETTINGS, URL


def written(home: Path) -> list[str]:
    """Write all that `up` may write, with secrets in it; return the names."""
    web = home / "web.yml"
    web.write_text("basic_auth_users: {ann: $2b$04$hash}\n")
    settings = replace(SETTINGS, home=home, web_config=web, webhook="https://u:SECRET@h/SECRET")
    files = configs(settings, URL, Guard.of({"ann": "$2b$04$hash"}))
    for name, text in files.items():
        path = settings.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (settings.folder / "alertmanager.log").write_text('Post "https://h/SECRET": refused')
    return list(files)


def test_every_name_that_may_be_written_is_known(tmp_path: Path):
    assert set(written(tmp_path)) == set(every_name())


def test_nothing_with_a_password_or_token_stays(tmp_path: Path):
    written(tmp_path)
    down(tmp_path)

    left = [path for path in (tmp_path / "observe").rglob("*") if path.is_file()]
    assert ["lock"] == [path.name for path in left]


def test_the_data_and_what_is_not_ours_stay(tmp_path: Path):
    written(tmp_path)
    for name in ("prometheus/wal", "alertmanager/nflog", "own.yml"):
        path = tmp_path / "observe" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    down(tmp_path)

    left = {str(path.relative_to(tmp_path / "observe")) for path in (tmp_path / "observe").rglob("*")
            if path.is_file()}  # fmt: skip
    assert {"lock", "prometheus/wal", "alertmanager/nflog", "own.yml"} == left
