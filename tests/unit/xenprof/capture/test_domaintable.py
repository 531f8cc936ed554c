from dataclasses import replace

import pytest

from hypervisor.telemetry import VbdSnapshot
from tests.support.capturing import domain, host, real_xen, vcpu, window
from xenprof.capture.domaintable import draw
from xenprof.capture.window import Window

DOMAIN_0 = domain(0, "Domain-0", vcpu(0, 1))


def sheet(*domains, **fields):
    return draw(window(host(DOMAIN_0, *domains, **fields)))


def settings(*domains):
    return sheet(*domains).draft.guests[0].settings


def notes(found):
    return [str(note) for note in found.notes]


def test_weights_caps_and_pinning_of_a_real_host_are_kept():
    owners = draw(real_xen()).draft.owners
    keys = ("weight", "cap", "cpus", "vcpus")

    assert [
        [256, None, "0", 1],
        [256, None, None, 2],
        [256, None, "1", 1],
        [512, None, "1", 1],
        [256, 25, "1", 1],
    ] == [[owner.settings.get(key) for key in keys] for owner in owners]


def test_memory_is_told_in_mib():
    found = settings(domain(1, "web", vcpu(), memory_kib=262_144, maximum_kib=524_288))

    assert (256, 512) == (found["memory_mib"], found["maxmem_mib"])


def test_names_that_scenarios_do_not_have_are_changed_and_told():
    found = sheet(domain(1, 'a"\nb', vcpu()), domain(2, "a__b", vcpu()))

    assert ("Domain-0", "a__b", "a__b-2") == found.names
    assert "a__b: is called 'a\"\\nb' on the host" in notes(found)


def test_domain_0_keeps_its_name_to_itself():
    assert ("Domain-0", "Domain-0-2") == sheet(domain(1, "Domain-0", vcpu())).names


def test_a_dying_domain_is_left_out():
    found = sheet(domain(1, "gone", vcpu(), dying=True), domain(2, "web", vcpu()))

    assert ("Domain-0", "web") == found.names
    assert "domain 1: is dying: left out" in notes(found)


def test_a_domain_that_has_gone_is_told():
    last = host(DOMAIN_0)
    found = draw(Window(host(DOMAIN_0, domain(7, "old", vcpu()), seconds=0), last))

    assert "domain 7: 'old' went during the window: left out, also what it used" in notes(found)


def test_a_domain_that_was_stopped_for_a_part_of_the_time_is_told():
    paused = replace(vcpu(0, 5), blocked_ns=0, offline_ns=5 * 10**9)
    found = notes(sheet(domain(1, "web", paused)))

    assert "web: was stopped for 50% of the window: it sleeps as long here" in found


@pytest.mark.parametrize(
    ("affinities", "cpus"),
    [
        (((0,), (0,)), "0"),
        (((0,), (1,)), ("0", "1")),
        (((0,), (0, 1)), ("0", "")),
        (((0, 7), (1,)), ("0", "1")),
        (((0, 7), (0,)), "0"),
        (((7,), (1,)), ("", "1")),
        (((0, 1), (0, 1, 7)), None),
    ],
)
def test_vcpus_have_a_list_of_pcpus_where_they_are_pinned_apart(affinities, cpus):
    vcpus = [vcpu(number, affinity=affinity) for number, affinity in enumerate(affinities)]

    assert cpus == settings(domain(1, "web", *vcpus)).get("cpus")


def test_domain_0_with_each_vcpu_on_its_own_pcpu_keeps_them():
    found = draw(
        window(host(domain(0, "Domain-0", vcpu(0, affinity=(0,)), vcpu(1, affinity=(1,)))))
    )

    assert ("0", "1") == found.draft.domain0.settings["cpus"]
    assert [] == [note for note in notes(found) if "pin" in note]


def test_a_vcpu_that_is_offline_is_not_in_the_list():
    vcpus = (
        vcpu(0, affinity=(0,)),
        replace(vcpu(1, affinity=(1,)), online=False),
        vcpu(2, affinity=(1,)),
    )

    assert (2, ("0", "1")) == tuple(
        settings(domain(1, "web", *vcpus))[k] for k in ("vcpus", "cpus")
    )


def test_the_list_ends_with_the_last_vcpu_that_the_model_has():
    vcpus = [vcpu(number, affinity=(number % 2,)) for number in range(40)]
    found = settings(domain(1, "web", *vcpus))

    assert (32, ("0", "1") * 16) == (found["vcpus"], found["cpus"])


def test_pinning_to_pcpus_that_the_model_lacks_is_told():
    found = sheet(
        domain(1, "all", vcpu(0, affinity=(7,)), vcpu(1, affinity=(8,))),
        domain(2, "some", vcpu(0, affinity=(7,)), vcpu(1, affinity=(1,))),
    )

    assert notes(found)[-2:] == [
        "all: is pinned to pcpus that the model does not have: not pinned",
        "some: some vcpus are pinned to pcpus that the model does not have: they are not pinned",
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"weight": None}, "its weight is unknown: the default"),
        ({"cap_percent": None}, "its cap is unknown: none"),
        ({"memory_kib": None}, "its memory is unknown: 128 MiB"),
        ({"kind": "pvh"}, "is of kind 'pvh': pv"),
        ({"paused": True}, "is paused: it runs here, with nothing to do"),
        ({"vcpus": ()}, "how many vcpus it has is unknown: 1"),
    ],
)
def test_what_is_unknown_or_not_the_models_is_told(fields, told):
    assert f"web: {told}" in notes(sheet(domain(1, "web", vcpu(), **fields)))


def test_the_busiest_disk_is_first_as_workloads_use_that_one():
    vbds = (
        VbdSnapshot(51712, "xvda", "phy:/dev/vg0/a", "w", read_requests=10, read_bytes=40_960),
        VbdSnapshot(51728, "xvdb", "phy:/dev/vg0/b", "w", read_requests=900, read_bytes=40_960),
    )

    found = settings(domain(1, "web", vcpu(), vbds=vbds))

    assert ("phy:/dev/vg0/b,xvdb,w", "phy:/dev/vg0/a,xvda,w") == found["disk"]


def test_a_host_with_too_little_memory_for_the_model_gets_more_and_that_is_told():
    found = sheet(domain(1, "web", vcpu()), memory_kib=1_300_000)

    assert 1269 < found.draft.host["memory_mib"]
    assert any(note.startswith("host: 1269 MiB of memory: ") for note in notes(found))


def test_terabytes_are_divided():
    found = sheet(domain(1, "web", vcpu(), memory_kib=2**32), memory_kib=2**33)

    assert 2**20 >= found.draft.host["memory_mib"]
    assert "host: more memory than the model can have: divided by 5" in notes(found)


def test_without_domain_0_the_defaults_stand_in():
    found = draw(window(replace(host(domain(1, "web", vcpu())))))

    assert ({}, None) == (found.draft.domain0.settings, found.uses[0])
