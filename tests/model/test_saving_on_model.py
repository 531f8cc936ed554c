"""Saving and restoring guests, and dumping their cores, on the whole model."""

import pytest

from tests.support.model.hosts import (
    SECOND,
    cpu,
    cpu_ns,
    domain,
    fileio,
    make_host,
    netperf,
    result,
    seen,
)
from tests.support.model.managing import GUEST, after, done, names, refusal


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "a.save")


def test_a_saved_guest_comes_back_with_memory_name_uuid_and_work(path):
    host = make_host(domain("a", cpu(threads=2), vcpus=2))
    after(host, 2)
    before = seen(host, "a")
    done(host, host.toolstack.domains.save("a", path))
    after(host, 5)
    gone = "a" not in names(host).values()
    domid = done(host, host.toolstack.domains.restore(path))
    after(host, 1)
    one = seen(host, "a")

    assert (gone, domid, one.domid) == (True, 2, 2)
    assert (one.uuid, one.memory_kib, len(one.vcpus)) == (before.uuid, before.memory_kib, 2)
    assert result(host, "a")["work_seconds"] > before.workloads[0]["work_seconds"]


def test_a_saved_guest_takes_as_long_as_the_disk_needs(path):
    host = make_host(domain("a", memory_mib=512))
    done(host, host.toolstack.domains.save("a", path))

    assert 4 < host.now_ns / SECOND < 30


def test_a_ballooned_guest_comes_back_as_small_and_can_grow_again(path):
    host = make_host(domain("a", memory_mib=128))
    host.toolstack.resources.set_memory("a", 64)
    after(host, 2)
    done(host, host.toolstack.domains.save("a", path))
    done(host, host.toolstack.domains.restore(path))
    small_kib = seen(host, "a").memory_kib
    host.toolstack.resources.set_memory("a", 128)
    after(host, 2)

    assert (small_kib, seen(host, "a").memory_kib) == (64 * 1024, 128 * 1024)


def test_a_checkpoint_leaves_the_guest_at_work(path):
    host = make_host(domain("a", cpu(threads=2), fileio(), netperf("transmit"), vcpus=2))
    after(host, 1)
    done(host, host.toolstack.domains.save("a", path, checkpoint=True))
    before = seen(host, "a")
    after(host, 2)
    one = seen(host, "a")

    assert (one.domid, one.shutdown, [vcpu.online for vcpu in one.vcpus]) == (1, False, [True] * 2)
    assert [int(str(now["bytes"])) > int(str(then["bytes"])) for now, then in
            zip(one.workloads[1:], before.workloads[1:], strict=True)] == [True, True]  # fmt: skip


def test_a_vcpu_that_was_unplugged_stays_so_over_a_checkpoint(path):
    host = make_host(domain("a", vcpus=2))
    host.toolstack.resources.set_vcpus("a", 1)
    after(host, 1)
    done(host, host.toolstack.domains.save("a", path, checkpoint=True))
    after(host, 1)

    assert [vcpu.online for vcpu in seen(host, "a").vcpus] == [True, False]


def test_tools_3_1_save_and_restore_a_fully_virtualized_guest(path):
    windows = domain("w", cpu(), kind="hvm", vif=[], disk=[])
    host = make_host(windows, hypervisor="3.1", tools="3.1")
    after(host, 1)
    done(host, host.toolstack.domains.save("w", path))
    seconds = host.now_ns / SECOND
    done(host, host.toolstack.domains.restore(path))
    after(host, 1)

    assert (seconds < 20, names(host)) == (True, {0: "Domain-0", 2: "w"})
    assert result(host, "w")["work_seconds"] > 1.5


def test_a_paused_guest_cannot_suspend_and_stays_paused(path):
    host = make_host(domain("a"))
    host.toolstack.domains.pause("a")

    assert "did not suspend" in refusal(host, host.toolstack.domains.save("a", path))
    assert (names(host)[1], seen(host, "a").paused) == ("a", True)


def test_a_guest_that_was_given_up_does_not_suspend_later(path):
    host = make_host(domain("a", cpu()))
    host.toolstack.domains.pause("a")
    refusal(host, host.toolstack.domains.save("a", path))
    host.toolstack.domains.unpause("a")
    after(host, 5)

    assert seen(host, "a").shutdown_reason is None


def test_a_guest_destroyed_while_it_is_saved_leaves_no_file(path, tmp_path):
    host = make_host(domain("a"))
    operation = host.toolstack.domains.save("a", path)
    after(host, 1)
    host.toolstack.domains.destroy("migrating-a")

    assert "destroyed while it was being saved" in refusal(host, operation)
    assert list(tmp_path.iterdir()) == []


def test_restoring_with_too_little_memory_is_refused(path):
    host = make_host(domain("a", memory_mib=512), domain0={"memory_mib": 300})
    done(host, host.toolstack.domains.save("a", path))
    after(host, 5)
    done(host, host.toolstack.domains.create({**GUEST, "memory": 1500}))

    assert refusal(host, host.toolstack.domains.restore(path)).startswith(
        "I need 524288 KiB, but dom0_min_mem is"
    )
    assert names(host) == {0: "Domain-0", 2: "b"}


def test_a_core_is_dumped_while_the_guest_runs_on(tmp_path):
    host = make_host(domain("a", cpu()))
    after(host, 1)
    core = done(host, host.toolstack.domains.dump_core("a", str(tmp_path / "core"), live=True))

    assert core == str(tmp_path / "core")
    assert cpu_ns(host, "a") > 0.8 * SECOND


def test_a_guest_stands_still_while_its_core_is_dumped(tmp_path):
    host = make_host(domain("a", cpu()))
    after(host, 1)
    before_ns = cpu_ns(host, "a")
    done(host, host.toolstack.domains.dump_core("a", str(tmp_path / "core")))

    assert cpu_ns(host, "a") - before_ns < 0.01 * SECOND
    assert not seen(host, "a").paused
