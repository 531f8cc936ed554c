"""What the other tests of this folder rely on."""

from tests.support.realxen.machine import Machine


def test_domain_0_of_a_real_xen_answers(xen: Machine):
    assert xen.run("xl list | awk 'NR == 2 {print $1, $2}'") == "Domain-0 0\n"


def test_a_guest_runs(busy: Machine):
    assert int(busy.run("xl domid web")) > 0
