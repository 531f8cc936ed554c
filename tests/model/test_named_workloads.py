"""Programs that a configuration file of xm names run in the guest."""

import pytest

from hypervisor.errors import ScenarioError
from tests.support.model.hosts import SECOND, make_host, result, seen

CONFIG = {
    "name": "a",
    "kernel": "/boot/vmlinuz-2.6.18-8.el5xen",
    "memory": 256,
    "vif": ["bridge=xenbr0"],
    "disk": ["phy:/dev/sdb7,xvda,w"],
}


def created(*programs):
    host = make_host()
    operation = host.toolstack.domains.create(CONFIG | {"xenprof_workload": list(programs)})
    assert host.advance_until(lambda: operation.is_done, 20 * SECOND)
    operation.result()
    return host


def test_they_run_with_their_parameters():
    host = created("oltp, clients=2, engine=sybase, database_mib=64", "web,clients=3,think_ms=50")
    host.advance(host.now_ns + 2 * SECOND)
    assert result(host, "a", 0)["searches"] > 0
    assert result(host, "a", 1)["requests"] > 20


def test_a_guest_that_reboots_runs_them_again():
    host = created("web,clients=3,think_ms=50")
    host.toolstack.domains.shutdown("a", "reboot")
    host.advance(host.now_ns + 30 * SECOND)
    assert seen(host, "a").domid == 2
    assert result(host, "a")["requests"] > 20


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("oltp, clients=0", "greater than or equal to 1"),
        ("oltp, client=1", "unknown key 'client' .did you mean 'clients'"),
        ("olpt", "'oltp'"),
    ],
)
def test_one_that_there_is_not_is_refused_with_what_is_allowed(program, text):
    with pytest.raises(ScenarioError, match=text):
        created(program)
