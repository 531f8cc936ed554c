"""Domain 0's interfaces have names of their own, whatever a scenario calls cards and bridges."""

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.scenario.nics import NicTable, interfaces_of
from hypervisor.model.scenario.spec import parse_scenario


def test_each_card_has_an_interface_of_domain_0_beside_it():
    cards = [NicTable(), NicTable(name="peth1", bridge="xenbr1")]
    assert list(interfaces_of(cards, ["inner"])) == [
        *("lo", "eth0", "vif0.0", "peth0", "eth1", "vif0.1", "peth1"),
        *("xenbr0", "xenbr1", "virbr0", "inner"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[host.nic]]\nname = "eth0"', "network-bridge calls the card 'peth0'"),
        ('[[host.nic]]\nname = "vif1.0"', "a card may not be called 'vif1.0': so interfaces of guests are"),
        ('[[host.nic]]\nname = "xenbr1"', "a bridge and a card of Domain-0 are both called 'xenbr1'"),
        ('[[host.nic]]\nname = "lo"', "a card and the loopback device of Domain-0 are both called 'lo'"),
        ('[[host.nic]]\nname = "peth1"\nbridge = "peth1"', "a bridge and a card of Domain-0 are both called 'peth1'"),
        ('[[host.nic]]\nbridge = "eth0"', "a bridge and an interface of Domain-0 are both called 'eth0'"),
        ('[host]\nbridges = ["tap1.0"]\n[[host.nic]]', "a bridge may not be called 'tap1.0'"),
        ('[host]\nbridges = ["a", "a"]\n[[host.nic]]', "two bridges are called 'a'"),
        ('[host]\nbridges = ["inner"]', "without [[host.nic]] there is one card behind every bridge"),
        ('[[host.nic]]\n[[host.nic]]\nname = "eth0"\ndedicated_to = "Domain-0"', "both called 'eth0'"),
    ],
)  # fmt: skip
def test_two_interfaces_of_one_name_are_refused(text, said):
    with pytest.raises(ScenarioError) as refusal:
        parse_scenario(text + "\n", "file")
    assert said in str(refusal.value)
