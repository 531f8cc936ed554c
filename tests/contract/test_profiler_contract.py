"""The contract of a host that claims a profiler; see test_host_contract.py."""

import pytest

from hypervisor.errors import OprofilefsError, Refused, UnknownDomain
from hypervisor.samples import SampleBatch
from hypervisor.telemetry import Mode
from tests.support.contracts import SECOND, let_pass, named

COUNTER = {
    "enabled": "1",
    "event": "29",
    "count": "100000",
    "unit_mask": "1",
    "kernel": "1",
    "user": "1",
}


@pytest.fixture
def driver(host, profiler):
    """Return domain 0's driver, set up to count cycles in Domain-0 and `busy`, its buffer open."""
    driver = profiler.oprofile("Domain-0")
    for leaf, value in COUNTER.items():
        driver.write(f"0/{leaf}", value)
    driver.write("active_domains", f"0,{named(host, 'busy').domid}")
    driver.open_buffer()
    return driver


def sampled(host, driver):
    """Sample both domains; return what their daemons receive, by name."""
    guest = host.profiler.oprofile("busy")
    guest.open_buffer()
    driver.write("enable", "1")
    let_pass(host, 0.5)
    batches = {}
    for name, one in (("busy", guest), ("Domain-0", driver)):
        one.write("dump", "1")
        host.advance_until(lambda one=one: one.pending() == 0, 5 * SECOND)
        promised = [samples for samples in one.read_buffer() if len(samples)]
        batches[name] = [(len(samples), samples.load().columns()) for samples in promised]
    driver.write("enable", "0")
    return batches


def test_a_driver_of_no_domain_is_refused(profiler):
    with pytest.raises(UnknownDomain):
        profiler.oprofile("nobody")


def test_an_hvm_guest_has_no_driver(profiler):
    with pytest.raises(Refused):
        profiler.oprofile("windows")


def test_files_of_a_domain_are_at_absolute_paths_each_once(profiler):
    paths = [file.path for file in profiler.domain_files("busy")]

    assert all(path.startswith("/") for path in paths)
    assert len(paths) == len(set(paths)) > 0


def test_modules_and_programs_are_among_the_files_of_their_domain(profiler):
    files = {file.path for file in profiler.domain_files("busy")}
    driver = profiler.oprofile("busy")
    named_by_driver = {module.path for module in driver.modules()}
    named_by_driver |= {task.program for task in driver.tasks().values() if task.program}

    assert named_by_driver - files == set()


@pytest.mark.parametrize("name", ["nothing", "stats/nothing", "77/event/x"])
def test_a_file_that_is_not_there_cannot_be_read(profiler, name):
    with pytest.raises(OprofilefsError):
        profiler.oprofile("Domain-0").read(name)


def test_a_domain_that_is_not_listed_cannot_take_part(profiler):
    with pytest.raises(OprofilefsError) as caught:
        profiler.oprofile("busy").open_buffer()

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
    counts = host.telemetry.snapshot().xenoprof

    assert counts.total == (
        counts.active + counts.passive + counts.others + counts.lost + counts.invalid
        + counts.corrupted
    )  # fmt: skip
    assert counts.active > 1000


def test_without_a_listed_domain_only_domain_0_is_sampled(host, profiler):
    driver = profiler.oprofile("Domain-0")
    for leaf, value in COUNTER.items():
        driver.write(f"0/{leaf}", value)
    driver.open_buffer()
    driver.write("enable", "1")
    let_pass(host, 0.3)

    assert host.telemetry.snapshot().xenoprof.active_domains == (0,)
    assert host.telemetry.snapshot().xenoprof.others > 1000
