"""A scenario pins each vcpu by itself: hosts show it from the start and obey it, and xend forgets."""

from typing import Any

import pytest

from tests.support.measured import measured
from tests.support.model.hosts import SECOND, burst, cpu, cpu_ns, domain, make_host, seen
from tests.support.model.managing import after, done
from xenprof.cli.xm.listing import vcpu_table

FOUR: dict[str, Any] = {"cores_per_socket": 4}
RULES = [
    {"scheduler": "credit", "hypervisor": "3.0.3"},
    {"scheduler": "credit", "hypervisor": "3.1", "tools": "3.1"},
    {"scheduler": "sedf", "hypervisor": "3.0.3"},
    {"scheduler": "sedf", "hypervisor": "3.1", "tools": "3.1"},
]


def affinities(host, name):
    return [vcpu.affinity for vcpu in seen(host, name).vcpus]


def places(host, name):
    return [vcpu.pcpu for vcpu in seen(host, name).vcpus]


def pinned(**settings):
    """Return a host whose guest `a` has vcpu 0 on pcpu 3 and vcpu 1 on pcpus 1 and 2."""
    work = cpu(threads=3)
    return make_host(domain("a", work, vcpus=3, cpus=["3", "1-2", ""]), **FOUR, **settings)


@pytest.mark.parametrize("rules", RULES)
def test_vcpu_list_shows_from_the_first_moment_where_each_vcpu_may_run(rules):
    host = pinned(**rules)
    snapshot = host.telemetry.snapshot()
    rows = [row.split(maxsplit=6) for row in vcpu_table(snapshot, snapshot.domains)]

    assert (0, ["3", "1-2", "any cpu"]) == (host.now_ns, [row[-1] for row in rows[2:]])


@pytest.mark.parametrize("rules", RULES)
def test_a_vcpu_that_is_pinned_by_itself_never_runs_elsewhere(rules):
    host = pinned(**rules)
    found = set()
    for _ in range(100):
        after(host, 0.013)
        first, second, _ = places(host, "a")
        found |= {("first", first), ("second", second)}

    assert found <= {("first", 3), ("second", 1), ("second", 2)}


@pytest.mark.parametrize("rules", RULES)
def test_domain_0_is_pinned_vcpu_by_vcpu_before_it_runs(rules):
    order = ["2", "3", "0", "1"]
    host = make_host(
        domain0={"vcpus": 4, "cpus": order, "workload": [burst(5, 5)]}, **FOUR, **rules
    )
    first = (host.now_ns, affinities(host, "Domain-0"), places(host, "Domain-0"))
    after(host, 1)

    assert (0, [(2,), (3,), (0,), (1,)], [2, 3, 0, 1]) == first
    assert [2, 3, 0, 1] == places(host, "Domain-0")


@pytest.mark.parametrize("rules", RULES)
def test_two_vcpus_on_one_pcpu_share_it(rules):
    host = make_host(
        domain("apart", cpu(threads=2), vcpus=2, cpus=["1", "2"]),
        domain("one", cpu(threads=2), vcpus=2, cpus=["3", "3"]),
        **FOUR,
        **rules,
    )
    after(host, 2)

    assert pytest.approx(2, abs=0.05) == cpu_ns(host, "apart") / cpu_ns(host, "one")


def test_an_hvm_guest_is_pinned_vcpu_by_vcpu():
    guest = domain("a", kind="hvm", disk=["phy:/dev/a,hda,w"], vcpus=2, cpus=["1", "0"])
    host = make_host(guest, support_limits=False)

    assert [(1,), (0,)] == affinities(host, "a")


def test_every_guest_of_a_count_is_pinned():
    host = make_host(domain("a%d", count=2, disk=[], vcpus=2, cpus=["1", "0"]))

    assert [[(1,), (0,)]] * 2 == [affinities(host, name) for name in ("a1", "a2")]


def test_a_reboot_forgets_the_pins_of_vcpus_as_those_of_xm_vcpu_pin():
    host = make_host(domain("a", vcpus=2, cpus=["1", "0"]))
    host.toolstack.domains.shutdown("a", "reboot")
    after(host, 10)

    assert (2, [(0, 1), (0, 1)]) == (seen(host, "a").domid, affinities(host, "a"))


def test_a_restored_guest_has_lost_the_pins_of_its_vcpus(tmp_path):
    path = str(tmp_path / "a.save")
    host = make_host(domain("a", vcpus=2, cpus=["1", "0"]))
    done(host, host.toolstack.domains.save("a", path))
    done(host, host.toolstack.domains.restore(path))

    assert (2, [(0, 1), (0, 1)]) == (seen(host, "a").domid, affinities(host, "a"))


def test_a_guest_that_stays_after_a_checkpoint_keeps_them(tmp_path):
    host = make_host(domain("a", vcpus=2, cpus=["1", "0"]))
    done(host, host.toolstack.domains.save("a", str(tmp_path / "a.save"), checkpoint=True))

    assert [(1,), (0,)] == affinities(host, "a")


def test_a_list_of_the_same_sets_runs_as_the_one_set_does():
    def ran(cpus):
        host = make_host(domain("a", cpu(threads=2), vcpus=2, cpus=cpus), domain("b", cpu()))
        host.advance(2 * SECOND)
        return [(vcpu.pcpu, measured(vcpu.running_ns)) for vcpu in seen(host, "a").vcpus]

    assert ran("1") == ran(["1", "1"])
