from dataclasses import replace

import pytest

from hypervisor.errors import UnknownDomain
from tests.support.snapshots import grumble

HOST = grumble()
NUMBER = replace(HOST.domains[2], name="1")  # its name is the id of another


@pytest.mark.parametrize("reference", ["DesktopVM", "1"])
def test_a_domain_is_found_by_name_and_by_id(reference):
    assert HOST.find(reference).name == "DesktopVM"


def test_a_name_goes_before_an_id():
    host = replace(HOST, domains=(*HOST.domains[:2], NUMBER))

    assert host.find("1") is NUMBER


def test_a_domain_that_does_not_exist_is_named():
    with pytest.raises(UnknownDomain, match=r"^Domain 'x' does not exist\.$"):
        HOST.find("x")
