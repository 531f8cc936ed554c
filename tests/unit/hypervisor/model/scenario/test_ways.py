import pytest
from pydantic import ValidationError

from hypervisor.model.scenario.nics import NicTable, check_nics_differ


@pytest.mark.parametrize(("moderation", "rate"), [("dynamic", 0), (8000, 8000)])
def test_the_dynamic_mode_is_rate_0(moderation, rate):
    assert rate == NicTable(moderation=moderation).interrupt_rate


@pytest.mark.parametrize(
    "wrong",
    [
        {"speed_mbit": 2500},
        {"mtu": 20_000},
        {"moderation": "often"},
        {"moderation": 99},
        {"name": "Peth 0"},
        {"bridge": "-"},
        {"kind": "dummy", "dedicated_to": "a"},
    ],
)
def test_an_impossible_card_is_refused(wrong):
    with pytest.raises(ValidationError):
        NicTable.model_validate(wrong)


def test_two_cards_may_not_have_one_owner():
    cards = [NicTable(name=name, dedicated_to="a") for name in ("eth1", "eth2")]
    with pytest.raises(ValueError, match="two cards are dedicated to 'a'"):
        check_nics_differ(cards)
