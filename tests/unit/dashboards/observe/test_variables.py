"""A variable that is mistyped is refused, as it would change nothing without a word."""

import os

import pytest

from dashboards.observe.__main__ import main
from dashboards.observe.settings import CannotObserve
from dashboards.observe.variables import check_names

PARAMS = main.commands["up"].params


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OBSERVE_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("OBSERVE_WINDWO", "OBSERVE_WINDWO is no setting: is OBSERVE_WINDOW meant?"),
        ("OBSERVE_PORT", "OBSERVE_PORT is no setting: docs/serving.md lists them"),
    ],
)
def test_a_name_that_nobody_reads_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, message: str
):
    monkeypatch.setenv(name, "1")
    with pytest.raises(CannotObserve) as error:
        check_names(PARAMS)

    assert message == str(error.value)


def test_every_setting_and_what_is_not_ours_may_be_set(monkeypatch: pytest.MonkeyPatch):
    for name in ("OBSERVER", "observe_x", *(str(param.envvar) for param in PARAMS if param.envvar)):
        monkeypatch.setenv(name, "1")

    check_names(PARAMS)
