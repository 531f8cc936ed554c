"""The service profiles by itself: what it begins, whom it follows, and when it lets a user."""

from collections import Counter
from dataclasses import asdict

import pytest

from hypervisor.errors import UnknownDomain
from hypervisor.telemetry import Mode
from tests.support.continuous import EVENT, Profiled
from tests.support.model.hosts import cpu, domain, make_host
from tests.support.model.managing import GUEST, done
from xenprof.errors import EventError, UsageError
from xenprof.home import domain_root
from xenprof.store.sessiondir import domain_session, read_profile
from xenprof.wire.opcontrol import Setup

BUSY = domain("busy", cpu(), memory_mib=64)
HVM = domain("win", cpu(), memory_mib=64, kind="hvm", disk=["file:/win.img,hda,w"])


def profiled(tmp_path, *domains, **settings):
    return Profiled(make_host(*(domains or (BUSY,))), tmp_path, **settings)


def lists(snapshot):
    """Return the active and the passive domains by name."""
    names = {one.domid: one.name for one in snapshot.domains}
    session = snapshot.profiling
    if session is None:
        return None
    return tuple(
        [names[domid] for domid in domids]
        for domids in (session.active_domains, session.passive_domains)
    )


def wait_for(service, condition, seconds=30):
    """Let time pass until a snapshot fulfils a condition, at most so long; return the snapshot."""
    for _ in range(seconds):
        snapshot = service.advance(1)
        if condition(snapshot):
            return snapshot
    raise AssertionError(snapshot)


def is_listed(*active):
    return lambda snapshot: lists(snapshot) is not None and lists(snapshot)[0] == [*active]


def counted(session):
    """Return the samples in a domain's current session."""
    return sum(file.total for file in read_profile(session.path).files)


# -- What begins


def test_profiling_begins_with_the_host(tmp_path):
    service = profiled(tmp_path)
    service.look()
    assert 0 == service.host.telemetry.snapshot().profiling.began_ns


def test_the_events_are_those_that_were_asked_for(tmp_path):
    service = profiled(tmp_path, events=(EVENT, "INSTR_RETIRED:200000:1:0:1"))
    assert (EVENT, "INSTR_RETIRED:200000:1:0:1") == service.advance(1).profiling.events


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"active": "0"}, (["Domain-0"], [])),
        ({"active": "busy"}, (["Domain-0", "busy"], [])),
        ({"active": "1"}, (["Domain-0", "busy"], [])),
        ({"active": "all"}, (["Domain-0", "busy"], ["win"])),
        ({"active": "0", "passive": "all"}, (["Domain-0"], ["busy", "win"])),
        ({"active": "0", "passive": "busy"}, (["Domain-0"], ["busy"])),
        ({"active": "all", "passive": "busy"}, (["Domain-0"], ["busy"])),
    ],
)
def test_domains_are_chosen_by_name_id_or_all(tmp_path, settings, expected):
    service = profiled(tmp_path, BUSY, HVM, **settings)
    assert expected == lists(service.advance(1))


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"events": ("NOTHING:100000",)}, EventError, "NOTHING"),
        ({"events": ("GLOBAL_POWER_EVENTS:1",)}, EventError, "below the minimum"),
        ({"events": (EVENT,) * 9}, EventError, "Not enough hardware counters"),
        ({"active": "nobody"}, UnknownDomain, "nobody"),
        ({"active": "0,"}, UnknownDomain, "''"),
        ({"passive": "nobody"}, UnknownDomain, "nobody"),
        ({"active": "win"}, UsageError, "can only be passive"),
        ({"active": "busy", "passive": "busy"}, UsageError, "both active and passive"),
        ({"active": "0", "passive": "0"}, UsageError, "domain 0"),
    ],
)
def test_what_cannot_be_profiled_is_refused_at_once(tmp_path, settings, error, said):
    with pytest.raises(error, match=said):
        profiled(tmp_path, BUSY, HVM, **settings)


def test_a_processor_without_counters_is_refused(tmp_path):
    host = make_host(cpu="core_2", hypervisor="3.0.3")
    with pytest.raises(UsageError, match="cannot profile this processor"):
        Profiled(host, tmp_path)


# -- Whom it follows


def test_a_domain_that_comes_later_takes_part(tmp_path):
    service = profiled(tmp_path)
    service.advance(1)
    done(service.host, service.host.toolstack.domains.create(dict(GUEST)))
    wait_for(service, is_listed("Domain-0", "busy", "b"))


def test_domains_that_nobody_named_do_not_take_part(tmp_path):
    service = profiled(tmp_path, active="busy")
    service.advance(1)
    done(service.host, service.host.toolstack.domains.create(dict(GUEST)))
    assert (["Domain-0", "busy"], []) == lists(service.advance(10))


def test_a_domain_that_reboots_takes_part_again(tmp_path):
    service = profiled(tmp_path, active="busy")
    service.advance(1)
    service.host.toolstack.domains.shutdown("busy", "reboot")
    wait_for(service, is_listed("Domain-0"))
    assert 2 == wait_for(service, is_listed("Domain-0", "busy")).find("busy").domid


def test_a_domain_is_followed_when_it_gets_another_name(tmp_path):
    service = profiled(tmp_path, active="busy")
    service.advance(1)
    service.host.toolstack.domains.rename("busy", "idle")
    service.advance(1)
    service.host.toolstack.domains.shutdown("idle", "reboot")
    wait_for(service, lambda snapshot: lists(snapshot) == (["Domain-0", "idle"], []))


def test_the_others_are_profiled_on_when_one_is_destroyed(tmp_path):
    service = profiled(tmp_path, BUSY, domain("other", cpu(), memory_mib=64))
    service.advance(1)
    began_ns = service.host.telemetry.snapshot().profiling.began_ns
    service.host.toolstack.domains.destroy("other")
    snapshot = service.advance(10)
    assert ((["Domain-0", "busy"], []), began_ns) == (
        lists(snapshot), snapshot.profiling.began_ns,
    )  # fmt: skip


def test_a_paused_domain_joins_when_it_runs_again(tmp_path):
    service = profiled(tmp_path)
    service.advance(1)
    done(service.host, service.host.toolstack.domains.create(dict(GUEST), paused=True))
    assert (["Domain-0", "busy"], []) == lists(service.advance(10))
    service.host.toolstack.domains.unpause("b")
    wait_for(service, is_listed("Domain-0", "busy", "b"))


def test_a_domain_that_is_saved_and_restored_takes_part_again(tmp_path):
    service = profiled(tmp_path / "home", active="busy")
    service.advance(1)
    domains, path = service.host.toolstack.domains, str(tmp_path / "busy.save")
    saved = domains.save("busy", path)
    service.advance(20)
    saved.result()
    assert (["Domain-0"], []) == lists(service.advance(1))
    restored = domains.restore(path)
    wait_for(service, is_listed("Domain-0", "busy"))
    restored.result()


def test_a_passive_domain_that_is_destroyed_is_let_go(tmp_path):
    service = profiled(tmp_path, BUSY, HVM)
    service.advance(1)
    service.host.toolstack.domains.destroy("win")
    assert (["Domain-0", "busy"], []) == lists(service.advance(3))


@pytest.mark.parametrize("strict", [False, True])
def test_no_command_is_refused_when_the_session_is_begun_anew(tmp_path, caplog, strict):
    service = Profiled(make_host(BUSY), tmp_path, strict=strict)
    service.advance(1)
    done(service.host, service.host.toolstack.domains.create(dict(GUEST)))
    wait_for(service, is_listed("Domain-0", "busy", "b"))
    assert [] == caplog.messages


def test_a_guest_whose_daemon_cannot_be_started_keeps_nobody_from_being_profiled(tmp_path, caplog):
    service = profiled(tmp_path, BUSY, domain("other", cpu(), memory_mib=64))
    service.unable.add("other")
    wait_for(service, is_listed("Domain-0", "busy"))
    service.advance(10)
    assert ["--profile: Couldn't start oprofiled."] == caplog.messages


def test_of_too_many_domains_those_with_the_lowest_ids_take_part(tmp_path):
    guests = (domain(f"d{n}", memory_mib=8, vif=[], disk=[]) for n in range(1, 27))
    service = Profiled(make_host(*guests, memory_mib=2048), tmp_path)
    names = ["Domain-0", *(f"d{number}" for number in range(1, 25))]
    assert (names, []) == lists(service.advance(1))


# -- What a user may do


def test_a_users_start_is_told_who_profiles(tmp_path):
    service = profiled(tmp_path)
    service.advance(1)
    outcome = service.type("start", setup=asdict_of(Setup()))
    assert f"the service itself profiles {EVENT}" in outcome.stderr[-1]


def test_a_users_dump_is_a_dump(tmp_path):
    service = profiled(tmp_path)
    service.advance(1)
    assert () == service.type("dump").stderr


def test_a_users_shutdown_ends_all_daemons(tmp_path):
    service = profiled(tmp_path)
    service.advance(1)
    service.type("shutdown")
    states = [service.sessions.status(name).state for name in ("Domain-0", "busy")]
    assert ["stopped", "stopped"] == states


def test_the_profiler_is_the_users_until_his_daemon_has_been_gone_for_a_minute(tmp_path):
    service = profiled(tmp_path)
    service.advance(1)
    service.type("shutdown")
    service.advance(30)
    service.type("start-daemon", setup=asdict_of(Setup()))
    assert None is service.advance(100).profiling
    service.type("shutdown")
    assert None is service.advance(55).profiling
    assert (["Domain-0", "busy"], []) == lists(service.advance(10))


def test_daemons_that_a_user_has_left_are_ended_when_it_begins_again(tmp_path):
    service = profiled(tmp_path)
    service.advance(1)
    service.type("shutdown")
    service.type("start-daemon", setup=asdict_of(Setup(active_domains="0,1")))
    service.type("start-daemon", "busy", setup=asdict_of(Setup()))
    service.type("shutdown")
    assert (["Domain-0", "busy"], []) == lists(service.advance(65))


def asdict_of(setup):
    """Return a setup as it comes in a request."""
    return {name: value for name, value in asdict(setup).items() if value not in ((), None)}


# -- What snapshots tell


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Return a host that has been profiled and dumped, and its last snapshot."""
    home = tmp_path_factory.mktemp("told")
    service = Profiled(make_host(BUSY, domain("seen", cpu(), memory_mib=64)), home, active="busy",
                       passive="seen")  # fmt: skip
    service.advance(4)
    service.type("stop")
    for name in ("busy", "Domain-0"):
        service.type("dump", name)
    return service, service.look()


def session_of(service, name):
    return domain_session(domain_root(service.home, name))


def test_the_samples_of_all_images_are_those_in_the_sample_files(told):
    service, snapshot = told
    by_image: Counter[tuple[str, str]] = Counter()
    for row in snapshot.image_samples:
        by_image[row.domain if row.domain == "busy" else "Domain-0", row.image] += row.samples
    in_files: Counter[tuple[str, str]] = Counter()
    for name in ("Domain-0", "busy"):
        for file in read_profile(session_of(service, name).path).files:
            in_files[name, file.key.image.path] += file.total
    assert in_files == by_image


def test_the_samples_of_each_mode_are_those_that_the_hypervisor_has_logged(told):
    _, snapshot = told
    by_mode: Counter[tuple[str, Mode]] = Counter()
    for row in snapshot.image_samples:
        by_mode[row.domain, row.mode] += row.samples
    logged: Counter[tuple[str, Mode]] = Counter()
    for row in snapshot.samples:
        logged[row.domain, row.mode] += row.samples
    assert {"ring_full"} == {row.reason for row in snapshot.lost}  # which are not logged
    assert logged == by_mode


def test_every_mode_has_samples(told):
    _, snapshot = told
    assert set(Mode) == {row.mode for row in snapshot.image_samples if row.domain == "busy"}


def test_functions_are_told_with_most_samples_first(told):
    _, snapshot = told
    busy = [row.samples for row in snapshot.symbol_samples if row.domain == "busy"]
    assert sorted(busy, reverse=True) == busy != []
