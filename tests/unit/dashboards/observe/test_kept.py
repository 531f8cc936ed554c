"""What was typed once holds until observing is ended."""

import os
from pathlib import Path

import click
import pytest

from dashboards.observe import kept
from dashboards.observe.__main__ import main
from dashboards.observe.settings import FOLDER


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for option in main.commands["up"].params:
        if isinstance(option.envvar, str):
            monkeypatch.delenv(option.envvar, raising=False)


def parsed(home: Path, *words: str) -> click.Context:
    return main.commands["up"].make_context("up", [*words, "--state-dir", str(home)])


def keep(home: Path, *words: str) -> None:
    (home / FOLDER).mkdir(exist_ok=True)
    kept.write(home / FOLDER, kept.typed(parsed(home, *words)))


def test_settings_stay_when_they_are_not_typed_again(tmp_path: Path):
    keep(tmp_path, "--window", "20s", "--webhook", "http://h/SECRET")
    keep(tmp_path)
    again = parsed(tmp_path)

    assert (20 * 10**9, "http://h/SECRET") == (again.params["window"], again.params["webhook"])


def test_which_stay_is_told_but_not_the_webhook(tmp_path: Path):
    keep(tmp_path, "--window", "90s", "--webhook", "http://h/SECRET")

    assert (
        "settings as before: OBSERVE_WINDOW=90s OBSERVE_WEBHOOK; make down forgets them"
        == kept.told(parsed(tmp_path))
    )


def test_what_is_typed_counts_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    keep(tmp_path, "--window", "20s", "--metrics-path", "/m")
    monkeypatch.setenv("OBSERVE_WINDOW", "1m")
    again = parsed(tmp_path)

    assert (60 * 10**9, "/m") == (again.params["window"], again.params["metrics_path"])


def test_files_are_kept_as_seen_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "ca.pem").touch()
    monkeypatch.chdir(tmp_path)
    keep(tmp_path, "--ca-file", "ca.pem")

    assert tmp_path / "ca.pem" == parsed(tmp_path).params["ca_file"]


def test_nothing_is_told_at_first_and_after_forgetting(tmp_path: Path):
    assert "" == kept.told(parsed(tmp_path))
    keep(tmp_path, "--window", "20s")
    kept.forget(tmp_path / FOLDER)

    assert "" == kept.told(parsed(tmp_path))


@pytest.mark.parametrize("text", ["", "5", "[1]", "{", '"x"'])
def test_a_file_that_is_not_ours_counts_for_nothing(tmp_path: Path, text: str):
    keep(tmp_path)
    (tmp_path / FOLDER / "settings.json").write_text(text)

    assert 300 * 10**9 == parsed(tmp_path).params["window"]


def test_a_pipe_in_the_place_of_the_settings_is_not_waited_for_and_gives_way(tmp_path: Path):
    keep(tmp_path)
    file = tmp_path / FOLDER / "settings.json"
    file.unlink()
    os.mkfifo(file)
    keep(tmp_path, "--window", "20s")

    assert 20 * 10**9 == parsed(tmp_path).params["window"]


def test_an_error_about_what_is_kept_says_so_and_how_to_take_it_back(tmp_path: Path):
    file = tmp_path / "ca.pem"
    file.touch()
    keep(tmp_path, "--ca-file", str(file))
    file.unlink()
    with pytest.raises(click.BadParameter) as error:
        parsed(tmp_path)

    assert (
        f"OBSERVE_CA_FILE={file} is kept from before: OBSERVE_CA_FILE= takes it back, "
        "make down forgets all that is kept"
    ) == kept.told_of(error.value)


def test_an_error_about_what_is_typed_does_not_speak_of_what_is_kept(tmp_path: Path):
    with pytest.raises(click.BadParameter) as error:
        parsed(tmp_path, "--window", "x")

    assert "" == kept.told_of(error.value)


def test_a_variable_that_is_set_to_nothing_takes_back_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    keep(tmp_path, "--window", "20s", "--metrics-path", "/m")
    monkeypatch.setenv("OBSERVE_WINDOW", "")
    keep(tmp_path)
    monkeypatch.delenv("OBSERVE_WINDOW")
    again = parsed(tmp_path)

    assert (300 * 10**9, "/m") == (again.params["window"], again.params["metrics_path"])
