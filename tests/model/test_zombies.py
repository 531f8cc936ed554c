"""Domains that have been destroyed while others still hold their pages."""

from tests.support.measured import measured
from tests.support.model.hosts import domain, fileio, make_host
from tests.support.model.managing import after


def test_a_destroyed_guest_is_a_zombie_until_domain_0_has_let_go_of_its_pages():
    host = make_host(domain("a", fileio(pattern="random", queue_depth=32)))
    after(host, 1)
    free_kib = measured(host.telemetry.snapshot().free_kib)
    host.toolstack.domains.destroy("a")
    zombie = host.telemetry.snapshot().domains[1]
    held_kib = host.telemetry.snapshot().scrub_kib
    after(host, 2)
    left = host.telemetry.snapshot()

    assert (zombie.name, zombie.dying, held_kib) == ("Zombie-a", True, 0)
    assert [one.name for one in left.domains] == ["Domain-0"]
    assert left.free_kib == free_kib + 128 * 1024


def test_a_zombie_whose_disk_is_removed_goes_as_well():
    host = make_host(domain("a", fileio(pattern="random", queue_depth=32)))
    after(host, 1)
    host.toolstack.domains.destroy("a")
    vbd = host.hypercalls.residents[1].devices.vbds[0]
    assert vbd.mapped
    host.hypercalls.devices.remove_disk(1, vbd.spec.device)
    after(host, 2)

    assert list(host.hypercalls.live) == [0]
