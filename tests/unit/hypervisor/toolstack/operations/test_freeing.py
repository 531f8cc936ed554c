from dataclasses import replace

import pytest

from hypervisor.toolstack.operations.freeing import needed_kib
from tests.support.fake_hypervisor import GUEST, MACHINE, Bench, refusal

MIB = 1024
DOM0_KIB = 657 * MIB
FREE_KIB = 512 * MIB


@pytest.fixture
def bench():
    return Bench()


def target_kib(bench):
    return int(bench.store.read("/local/domain/0/memory/target"))


def ballooned(bench):
    """Let domain 0 give the memory that was asked of it."""
    given_kib = bench.fake.states[0].memory_kib - target_kib(bench)
    bench.fake.change(0, memory_kib=target_kib(bench))
    bench.fake.free(given_kib)


def test_where_there_is_enough_domain_0_is_left_alone(bench):
    bench.create({**GUEST, "memory": 512})

    assert target_kib(bench) == DOM0_KIB


def test_domain_0_is_asked_for_what_is_missing(bench):
    bench.xend.domains.create({**GUEST, "memory": 600})

    assert target_kib(bench) == DOM0_KIB - (600 - 512) * MIB


def test_the_domain_is_built_once_domain_0_has_given_it(bench):
    operation = bench.xend.domains.create({**GUEST, "memory": 600})
    bench.after(0.05)
    ballooned(bench)

    assert bench.result(operation) == 1


def test_xm_list_shows_the_new_target_of_domain_0(bench):
    bench.xend.domains.create({**GUEST, "memory": 600})

    assert bench.context.infos[0].target_kib == target_kib(bench)


def test_what_is_being_scrubbed_is_waited_for_and_not_taken_from_domain_0(bench):
    bench.fake.machine = replace(bench.fake.machine, free_kib=64 * MIB, scrub_kib=64 * MIB)
    operation = bench.xend.domains.create(GUEST)
    asked_kib = target_kib(bench)
    bench.after(0.5)
    bench.fake.machine = replace(bench.fake.machine, free_kib=128 * MIB, scrub_kib=0)

    assert (bench.result(operation), asked_kib) == (1, DOM0_KIB)


def test_only_what_scrubbing_will_not_bring_is_taken_from_domain_0(bench):
    bench.fake.machine = replace(bench.fake.machine, free_kib=64 * MIB, scrub_kib=32 * MIB)
    bench.xend.domains.create(GUEST)

    assert target_kib(bench) == DOM0_KIB - 32 * MIB


def test_domain_0_is_asked_again_where_others_took_what_it_gave(bench):
    bench.xend.domains.create({**GUEST, "memory": 600})
    ballooned(bench)
    bench.fake.free(-10 * MIB)
    bench.after(0.2)

    assert target_kib(bench) == DOM0_KIB - (88 + 10) * MIB


def test_domain_0_keeps_its_minimum(bench):
    message = refusal(bench.create, {**GUEST, "memory": 914})

    assert message == (
        f"I need {914 * MIB} KiB, but dom0_min_mem is {256 * MIB} and shrinking to {256 * MIB} KiB "
        f"would leave only {(512 + 657 - 256) * MIB} KiB free."
    )
    assert target_kib(bench) == DOM0_KIB


def test_domain_0_goes_down_to_its_minimum_exactly(bench):
    bench.xend.domains.create({**GUEST, "memory": 913})

    assert target_kib(bench) == 256 * MIB


def test_a_minimum_of_nothing_means_that_domain_0_gives_nothing():
    bench = Bench(minimum_domain0_kib=0)
    message = refusal(bench.create, {**GUEST, "memory": 600})

    assert message == (
        "Not enough free memory and dom0_min_mem is 0, so I cannot release any more.  "
        f"I need {600 * MIB} KiB but only have {FREE_KIB}."
    )


def test_a_domain_0_that_does_not_give_is_told_apart(bench):
    assert refusal(bench.create, {**GUEST, "memory": 600}) == (
        "The privileged domain did not balloon!"
    )


@pytest.mark.parametrize(("memory_mib", "tries"), [(600, 20), (512 + 1024, 25)])
def test_it_tries_twenty_times_and_five_more_for_each_missing_gib(memory_mib, tries):
    """The pauses grow by 0.1 s each time."""
    bench = Bench(minimum_domain0_kib=1, machine=replace(MACHINE, free_kib=FREE_KIB))
    bench.fake.change(0, memory_kib=4 * 1024 * MIB)
    began_ns = bench.clock.now
    operation = bench.xend.domains.create({**GUEST, "memory": memory_mib})
    refusal(bench.result, operation)

    seconds = sum(range(1, tries + 1)) / 10
    assert (bench.clock.now - began_ns) / 1e9 == pytest.approx(seconds, abs=0.01)


def test_a_refused_domain_leaves_its_name_free(bench):
    refusal(bench.create, {**GUEST, "memory": 2000})

    assert bench.create(GUEST) == 1


def test_a_guest_needs_its_memory(bench):
    assert (
        needed_kib(bench.xend.configurations.spec_of({**GUEST, "memory": 100, "maxmem": 900}))
        == 100 * MIB
    )


def test_a_fully_virtualized_guest_needs_room_for_page_tables_and_video_as_well(bench):
    config = {"name": "w", "builder": "hvm", "memory": 1024, "kernel": "/hvmloader", "disk": []}
    more_mib = needed_kib(bench.xend.configurations.spec_of(config)) / MIB - 1024

    assert more_mib == pytest.approx(2.4 + 4 + 8, abs=0.1)


def test_log_of_a_creation_that_has_to_wait(bench):
    bench.xend.domains.create({**GUEST, "memory": 600})

    assert [line.split(") ", 1)[1] for line in bench.logged("Balloon")] == [
        f"Balloon: {FREE_KIB} KiB free; 0 to scrub; need {600 * MIB}; retries: 20.",
        f"Balloon: setting dom0 target to {657 - 88} MiB.",
    ]
