"""What every host owes the programs above it, for each capability that it claims.

A host takes part by a line in HOSTS: it has Domain-0 and a PV guest `busy` that computes, and an
HVM guest `windows` if it can be profiled.
"""

import pytest

from hypervisor.control import Toolstack
from hypervisor.errors import OprofilefsError, Refused, UnknownDomain
from hypervisor.telemetry import Mode, SampleBatch
from tests.support.model.hosts import SECOND, cpu, domain, make_host

COUNTER = {
    "enabled": "1",
    "event": "29",
    "count": "100000",
    "unit_mask": "1",
    "kernel": "1",
    "user": "1",
}


def model(rules):
    return make_host(
        domain("busy", cpu()),
        domain("windows", cpu(), kind="hvm", vif=[], disk=[]),
        hypervisor=rules,
    )


HOSTS = {"model-3.0.3": lambda: model("3.0.3"), "model-3.1": lambda: model("3.1")}


@pytest.fixture(params=HOSTS)
def host(request):
    return HOSTS[request.param]()


def let_pass(host, seconds):
    host.advance(host.now_ns + round(seconds * SECOND))


def named(host, name):
    return next(one for one in host.snapshot().domains if one.name == name)


# -- Telemetry


def test_each_snapshot_is_newer_than_the_one_before(host):
    first = host.snapshot()
    let_pass(host, 0.5)
    second = host.snapshot()

    assert (second.generation, second.time_ns, second.unix_ns) == (
        first.generation + 1,
        first.time_ns + SECOND // 2,
        first.unix_ns + SECOND // 2,
    )


def test_domains_come_by_id_and_domain_0_is_first(host):
    domids = [one.domid for one in host.snapshot().domains]

    assert (domids, domids[0]) == (sorted(set(domids)), 0)


def test_runstates_of_a_vcpu_add_up_to_its_life(host):
    let_pass(host, 1.5)
    now = host.snapshot()
    lives = {
        now.time_ns - one.created_ns
        - vcpu.running_ns - vcpu.runnable_ns - vcpu.blocked_ns - vcpu.offline_ns
        for one in now.domains
        for vcpu in one.vcpus
    }  # fmt: skip

    assert lives == {0}


def test_modes_of_a_pcpu_add_up_to_its_life(host):
    let_pass(host, 1.5)
    now = host.snapshot()
    lives = {
        now.time_ns - pcpu.user_ns - pcpu.kernel_ns - pcpu.hypervisor_ns - pcpu.idle_ns
        for pcpu in now.pcpus
    }

    assert lives == {0}


def test_what_vcpus_ran_is_what_pcpus_were_not_idle(host):
    let_pass(host, 1.5)
    now = host.snapshot()
    ran_ns = sum(one.cpu_ns for one in now.domains)
    busy_ns = sum(pcpu.user_ns + pcpu.kernel_ns + pcpu.hypervisor_ns for pcpu in now.pcpus)

    assert ran_ns == busy_ns


def test_waits_are_counted_in_their_buckets(host):
    let_pass(host, 1)

    assert all(
        len(one.wait_counts) == 14 and min(one.wait_counts) >= 0 for one in host.snapshot().domains
    )


# -- Toolstack


@pytest.fixture
def toolstack(host):
    if not isinstance(host, Toolstack):
        pytest.skip("does not claim to be a toolstack")
    return host


@pytest.mark.parametrize("name", ["nobody", "99", "", "-1"])
def test_an_unknown_domain_is_named(toolstack, name):
    with pytest.raises(UnknownDomain, match=f"Domain '{name}' does not exist"):
        toolstack.pause(name)


def test_a_domain_may_be_given_by_its_id(toolstack):
    toolstack.pause(str(named(toolstack, "busy").domid))

    assert named(toolstack, "busy").paused


def test_a_paused_domain_does_not_run_until_it_is_unpaused(toolstack):
    toolstack.pause("busy")
    before = named(toolstack, "busy").cpu_ns
    let_pass(toolstack, 0.3)
    paused = named(toolstack, "busy").cpu_ns
    toolstack.unpause("busy")
    let_pass(toolstack, 0.3)

    assert before == paused
    assert named(toolstack, "busy").cpu_ns > paused


def test_a_destroyed_domain_is_gone(toolstack):
    toolstack.destroy("busy")

    assert "busy" not in [one.name for one in toolstack.snapshot().domains]


def test_domain_0_cannot_be_destroyed(toolstack):
    with pytest.raises(Refused):
        toolstack.destroy("0")


def test_weight_and_cap_are_what_was_set(toolstack):
    toolstack.set_sched_credit("busy", weight=512, cap_percent=40)

    assert toolstack.sched_credit("busy") == (512, 40)


def test_a_pinned_vcpu_runs_where_it_may(toolstack):
    toolstack.pin_vcpu("busy", 0, [1])
    let_pass(toolstack, 0.1)
    (vcpu,) = named(toolstack, "busy").vcpus

    assert (vcpu.affinity, vcpu.pcpu) == ((1,), 1)


def test_a_created_domain_has_a_new_id(toolstack):
    known = {one.domid for one in toolstack.snapshot().domains}
    toolstack.destroy("busy")
    operation = toolstack.create(
        {"name": "new", "memory": 64, "vcpus": 1, "kernel": "/boot/vmlinuz"}
    )
    toolstack.advance_until(lambda: operation.is_done, 10 * SECOND)

    assert operation.result() not in known


def test_an_operation_has_no_result_before_it_is_over(toolstack):
    operation = toolstack.create({"name": "new", "memory": 64, "kernel": "/boot/vmlinuz"})

    with pytest.raises(RuntimeError):
        operation.result()


def test_what_cannot_be_done_at_all_is_refused_without_waiting(toolstack):
    with pytest.raises(Refused):
        toolstack.create({"name": "busy", "memory": 64, "kernel": "/boot/vmlinuz"})


def test_a_guest_that_is_asked_to_shut_down_is_gone_after_half_a_minute(toolstack):
    toolstack.shutdown("busy")
    let_pass(toolstack, 31)

    assert "busy" not in [one.name for one in toolstack.snapshot().domains]


@pytest.mark.parametrize("kind", ["vbd", "vif"])
def test_devices_of_a_guest_are_listed_connected(toolstack, kind):
    let_pass(toolstack, 1)

    assert [row["state"] for row in toolstack.devices("busy", kind)] == [4]


def test_the_long_description_names_the_domain(toolstack):
    tag, *entries = toolstack.sxp("busy")

    assert (tag, ["name", "busy"] in entries) == ("domain", True)


def test_the_log_is_taken_once(toolstack):
    toolstack.pause("busy")
    toolstack.take_log()

    assert list(toolstack.take_log()) == []


# -- Profiler


@pytest.fixture
def driver(host):
    """Domain 0's driver, set up to count cycles in Domain-0 and `busy`, its buffer open."""
    driver = host.oprofile("Domain-0")
    for leaf, value in COUNTER.items():
        driver.write(f"0/{leaf}", value)
    driver.write("active_domains", f"0,{named(host, 'busy').domid}")
    driver.open_buffer()
    return driver


def sampled(host, driver):
    """Let both domains be sampled; return what their daemons get, by name."""
    guest = host.oprofile("busy")
    guest.open_buffer()
    driver.write("enable", "1")
    let_pass(host, 0.5)
    batches = {}
    for name, one in (("busy", guest), ("Domain-0", driver)):
        one.write("dump", "1")
        host.advance_until(lambda one=one: one.pending() == 0, 5 * SECOND)
        promised = [samples for samples in one.read_buffer() if len(samples)]
        batches[name] = [(len(samples), samples.load()) for samples in promised]
    driver.write("enable", "0")
    return batches


def test_a_driver_of_no_domain_is_refused(host):
    with pytest.raises(UnknownDomain):
        host.oprofile("nobody")


def test_an_hvm_guest_has_no_driver(host):
    with pytest.raises(Refused):
        host.oprofile("windows")


def test_files_of_a_domain_are_at_absolute_paths_each_once(host):
    paths = [file.path for file in host.domain_files("busy")]

    assert all(path.startswith("/") for path in paths)
    assert len(paths) == len(set(paths)) > 0


def test_modules_and_programs_are_among_the_files_of_their_domain(host):
    files = {file.path for file in host.domain_files("busy")}
    driver = host.oprofile("busy")
    named_by_driver = {module.path for module in driver.modules()}
    named_by_driver |= {task.program for task in driver.tasks().values() if task.program}

    assert named_by_driver - files == set()


@pytest.mark.parametrize("name", ["nothing", "stats/nothing", "77/event/x"])
def test_a_file_that_is_not_there_cannot_be_read(host, name):
    with pytest.raises(OprofilefsError):
        host.oprofile("Domain-0").read(name)


def test_a_domain_that_is_not_listed_cannot_take_part(host):
    with pytest.raises(OprofilefsError) as caught:
        host.oprofile("busy").open_buffer()

    assert caught.value.errno_text == "Operation not permitted"


def test_counting_needs_every_listed_domain(host, driver):
    with pytest.raises(OprofilefsError):
        driver.write("enable", "1")


def test_every_column_of_a_batch_has_a_value_for_each_sample(host, driver):
    lengths = {
        len(getattr(batch, column)) == promised
        for batches in sampled(host, driver).values()
        for promised, batch in batches
        for column in SampleBatch.__slots__
    }

    assert lengths == {True}


def test_each_daemon_gets_the_samples_of_its_own_domain(host, driver):
    domids = {
        name: {domid for _, batch in batches for domid in batch.domain.tolist()}
        for name, batches in sampled(host, driver).items()
    }

    assert domids == {"Domain-0": {0}, "busy": {named(host, "busy").domid}}


def test_samples_are_in_modes_that_exist(host, driver):
    modes = {
        mode
        for batches in sampled(host, driver).values()
        for _, batch in batches
        for mode in batch.mode.tolist()
    }

    assert modes == set(Mode)


def test_the_hypervisor_counts_each_sample_once(host, driver):
    sampled(host, driver)
    counts = host.snapshot().xenoprof

    assert counts.total == (
        counts.active + counts.passive + counts.others + counts.lost + counts.invalid
        + counts.corrupted
    )  # fmt: skip
    assert counts.active > 1000


def test_without_a_listed_domain_only_domain_0_is_sampled(host):
    driver = host.oprofile("Domain-0")
    for leaf, value in COUNTER.items():
        driver.write(f"0/{leaf}", value)
    driver.open_buffer()
    driver.write("enable", "1")
    let_pass(host, 0.3)

    assert host.snapshot().xenoprof.active_domains == (0,)
    assert host.snapshot().xenoprof.others > 1000
