import pytest

from hypervisor.errors import Refused
from hypervisor.model.domain.grant import GrantTable

VIF_ENTRIES = 2 * 256


def test_three_vifs_fit_and_a_fourth_does_not():
    table = GrantTable()
    for _ in range(3):
        table.claim(VIF_ENTRIES, "vif")

    with pytest.raises(Refused, match="no grant references left"):
        table.claim(VIF_ENTRIES, "vif")


def test_a_refused_claim_takes_nothing():
    table = GrantTable()
    table.claim(2000, "vbd")

    with pytest.raises(Refused):
        table.claim(41, "vif")

    assert 2000 == table.used


def test_released_entries_can_be_claimed_again():
    table = GrantTable()
    table.claim(2040, "vbd")
    table.release(2040)

    table.claim(2040, "vbd")

    assert 0 == table.free
