"""The state machine of opcontrol's verbs, on one domain and across domains."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from hypervisor.errors import UnknownDomain
from tests.unit.fake_host import (
    HTTPD,
    KERNEL,
    KERNEL_END,
    KERNEL_START,
    USER,
    VMLINUX,
    FakeHost,
    samples,
)
from xenprof.errors import StoreError, StoreFull
from xenprof.events import EventSetting
from xenprof.home import domain_root
from xenprof.oprofiled import writer as writer_module
from xenprof.session.sessions import Sessions
from xenprof.session.setup import DaemonStatus, Setup
from xenprof.store.samplefile import merge
from xenprof.store.sessiondir import SessionDir, read_profile

SECOND = 1_000_000_000
SETUP = Setup(vmlinux=VMLINUX, kernel_range=(KERNEL_START, KERNEL_END))
ALL = replace(SETUP, active_domains="0,1,2")
CYCLES = EventSetting("GLOBAL_POWER_EVENTS", 100000, 1)
RETIRED = EventSetting("INSTR_RETIRED", 100000, 1)
STARTED = (
    "Using default event: GLOBAL_POWER_EVENTS:100000:1:1:1",
    "Using 2.6+ OProfile kernel interface.",
    "Reading module info.",
    "Using log file /var/lib/oprofile/samples/oprofiled.log",
    "Daemon started.",
)


@pytest.fixture
def host():
    return FakeHost("Domain-0", "web", "db", "win", hvm=["win"])


@pytest.fixture
def sessions(host, tmp_path):
    return Sessions(host, tmp_path)


@pytest.fixture
def strict(host, tmp_path):
    return Sessions(host, tmp_path, strict=True)


def directory(home: Path, domain: str = "Domain-0") -> SessionDir:
    return SessionDir(domain_root(home, domain) / "var/lib/oprofile")


def total(home: Path, domain: str = "Domain-0", session: str = "current") -> int:
    return sum(file.total for file in read_profile(directory(home, domain).path, session).files)


def unseen(home: Path, domain: str = "Domain-0") -> dict[str, str]:
    text = (directory(home, domain).current / "stats/xenprof_unseen").read_text()
    return {line.partition(" ")[0]: line.partition(" ")[2] for line in text.splitlines()}


# -- one domain


def test_start_prints_what_the_daemon_prints_and_that_it_profiles(sessions):
    assert sessions.start("Domain-0", SETUP).stdout == (*STARTED, "Profiler running.")


def test_module_info_is_not_read_without_a_kernel_image(sessions):
    assert "Reading module info." not in sessions.start_daemon("Domain-0", Setup()).stdout


def test_second_start_daemon_says_nothing(sessions):
    sessions.start_daemon("Domain-0", SETUP)
    assert sessions.start_daemon("Domain-0", SETUP).stdout == ()


def test_daemon_writes_its_lock_abi_and_log(sessions, tmp_path):
    sessions.start_daemon("Domain-0", SETUP)
    place = directory(tmp_path)
    log = place.log_path.read_text().splitlines()
    assert (place.lock_pid() is None, (place.path / "abi").exists(), log[0]) == (
        False,
        True,
        "oprofiled started Thu Mar 15 10:00:00 2007",
    )


def test_chosen_events_are_written_to_their_counters_and_the_others_disabled(sessions, host):
    sessions.start_daemon("Domain-0", replace(SETUP, events=(CYCLES, RETIRED)))
    files = host.driver("Domain-0").files
    written = {name: files[name] for name in ("0/event", "3/event", "3/count", "1/enabled")}
    assert written == {"0/event": "29", "3/event": "35", "3/count": "100000", "1/enabled": "0"}


def test_buffer_sizes_are_written_if_given(sessions, host):
    sessions.start_daemon("Domain-0", replace(SETUP, buffer_size=65536))
    files = host.driver("Domain-0").files
    assert (files.get("buffer_size"), files.get("cpu_buffer_size")) == ("65536", None)


def test_dump_writes_what_was_sampled_before_it(sessions, host, tmp_path):
    sessions.start("Domain-0", SETUP)
    host.driver("Domain-0").give(samples((USER, 0x400000), (KERNEL, KERNEL_START)))
    outcome = sessions.dump("Domain-0")
    assert (outcome.exit_code, outcome.stdout, total(tmp_path)) == (0, (), 2)


def test_dump_leaves_complete_dump_and_the_drivers_statistics(sessions, host, tmp_path):
    host.driver("Domain-0").stats = {"event_lost_overflow": 7, "cpu1/sample_received": 3}
    host.driver("Domain-0").stats["cpu0/sample_received"] = 5
    sessions.start("Domain-0", SETUP)
    sessions.dump("Domain-0")
    place = directory(tmp_path)
    profile = read_profile(place.path)
    wanted = {"event_lost_overflow": 7, "cpu0/sample_received": 5, "cpu1/sample_received": 3}
    assert (wanted, "1\n") == (
        {name: profile.lost.get(name) for name in wanted},
        (place.path / "complete_dump").read_text(),
    )


def test_dump_without_a_daemon_fails_as_the_original(sessions):
    outcome = sessions.dump("Domain-0")
    text = "Unable to complete dump of oprofile data: is the oprofile daemon running?"
    assert (outcome.stderr, outcome.exit_code) == ((text,), 1)


def test_dump_of_a_paused_domain_fails_and_says_why(sessions, host):
    sessions.start("Domain-0", replace(SETUP, active_domains="0,1"))
    sessions.start("web", SETUP)
    host.driver("web").give(samples((USER, 0x400000), domain=1))
    host.pause("web")
    outcome = sessions.dump("web")
    assert (outcome.exit_code, outcome.stderr[1]) == (
        1,
        "domain web is paused and its daemon with it: xm unpause it first",
    )


def test_stop_dumps_and_keeps_the_daemon(sessions, host, tmp_path):
    sessions.start("Domain-0", SETUP)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    outcome = sessions.stop("Domain-0")
    assert (outcome.stdout, total(tmp_path), sessions.status("Domain-0").state) == (
        ("Stopping profiling.",),
        1,
        "paused",
    )


def test_stop_says_nothing_if_profiling_was_off(sessions):
    sessions.start_daemon("Domain-0", SETUP)
    assert sessions.stop("Domain-0").stdout == ()


@pytest.mark.parametrize("verb", ["stop", "shutdown"])
def test_without_a_daemon_stop_and_shutdown_succeed(sessions, verb):
    outcome = getattr(sessions, verb)("Domain-0")
    assert (outcome.stderr, outcome.exit_code) == (("Daemon not running",), 0)


def test_shutdown_stops_dumps_and_removes_the_lock(sessions, host, tmp_path):
    sessions.start("Domain-0", SETUP)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    outcome = sessions.shutdown("Domain-0")
    assert (outcome.stdout, total(tmp_path), directory(tmp_path).lock_pid(), host.state) == (
        ("Stopping profiling.", "Killing daemon."),
        1,
        None,
        "idle",
    )


def test_shutdown_appends_the_statistics_to_the_log(sessions, host, tmp_path):
    sessions.start("Domain-0", SETUP)
    host.driver("Domain-0").give(samples((KERNEL, KERNEL_START), (KERNEL, KERNEL_END)))
    sessions.shutdown("Domain-0")
    log = directory(tmp_path).log_path.read_text().splitlines()
    assert {"Nr. kernel samples: 2", "Nr. lost kernel samples: 1"} <= set(log)


def test_stale_lock_is_removed(sessions, tmp_path):
    place = directory(tmp_path)
    place.path.mkdir(parents=True)
    place.lock_path.write_text("1\n")
    outcome = sessions.start_daemon("Domain-0", SETUP)
    assert (outcome.stderr, outcome.exit_code) == (("Detected stale lock file. Removing.",), 0)


def test_reset_deletes_what_was_sampled(sessions, host, tmp_path):
    sessions.start("Domain-0", SETUP)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    outcome = sessions.reset("Domain-0")
    assert (outcome.stdout, total(tmp_path)) == (("Signalling daemon... done",), 0)


def test_reset_without_a_daemon_says_nothing(sessions):
    assert sessions.reset("Domain-0").stdout == ()


def test_save_moves_the_samples_and_later_ones_go_to_a_new_session(sessions, host, tmp_path):
    sessions.start("Domain-0", SETUP)
    driver = host.driver("Domain-0")
    driver.give(samples((USER, 0x400000)))
    outcome = sessions.save("Domain-0", "first")
    driver.give(samples((USER, 0x400000), (USER, 0x400001)))
    sessions.dump("Domain-0")
    assert (outcome.stdout, total(tmp_path, session="first"), total(tmp_path)) == (
        ("Signalling daemon... done",),
        1,
        2,
    )


def test_save_to_a_name_that_is_taken_fails(sessions):
    sessions.start("Domain-0", SETUP)
    sessions.save("Domain-0", "first")
    outcome = sessions.save("Domain-0", "first")
    text = "session /var/lib/oprofile/samples/first already exists"
    assert (outcome.stderr, outcome.exit_code) == ((text,), 1)


def test_save_of_nothing_succeeds_with_a_message(sessions):
    outcome = sessions.save("Domain-0", "first")
    text = "/var/lib/oprofile/samples/current doesn't exist: nothing to save"
    assert (outcome.stderr, outcome.exit_code) == ((text,), 0)


def test_start_without_setup_needs_a_daemon(sessions):
    outcome = sessions.start("Domain-0", None)
    text = "Daemon not running: run opcontrol --start-daemon first"
    assert (outcome.stderr, outcome.exit_code) == ((text,), 1)


def test_deinit_shuts_down_first(sessions):
    sessions.start("Domain-0", SETUP)
    outcome = sessions.deinit("Domain-0")
    assert (outcome.stdout, outcome.stderr) == (
        ("Stopping profiling.", "Killing daemon."),
        ("Unloading oprofile module",),
    )


def test_hvm_guest_has_no_driver(sessions):
    outcome = sessions.start("win", SETUP)
    assert (outcome.stderr[0], outcome.exit_code) == ("Kernel doesn't support oprofile", 1)


def test_domain_may_be_given_by_its_id(sessions):
    sessions.start_daemon("0", SETUP)
    assert sessions.status("Domain-0").state == "paused"


def test_unknown_domain_is_named(sessions):
    with pytest.raises(UnknownDomain, match="Domain 'nowhere' does not exist"):
        sessions.status("nowhere")


def test_session_dir_option_moves_the_samples(sessions, host, tmp_path):
    sessions.start("Domain-0", replace(SETUP, session_dir="/tmp/op"))
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    sessions.dump("Domain-0")
    (file,) = read_profile(domain_root(tmp_path, "Domain-0") / "tmp/op").files
    assert file.key.app.path == HTTPD


# -- across domains


def recipe_start(sessions):
    """Steps 4 and 5 of the talk's recipe, which never runs --start in domain 0."""
    sessions.start_daemon("Domain-0", ALL)
    return [sessions.start(domain, SETUP) for domain in ("web", "db")]


def test_counting_starts_with_the_last_other_active_domain(sessions, host):
    first, last = recipe_start(sessions)
    assert (first.stderr, last.stderr, host.state) == (
        ("counting starts when db has run opcontrol --start",),
        (
            "counting has started in all active domains; "
            "real Xen waits for opcontrol --start in domain 0",
        ),
        "profiling",
    )


def test_counting_does_not_start_by_itself_for_domain_0_alone(sessions, host):
    sessions.start_daemon("Domain-0", replace(SETUP, active_domains="0"))
    assert host.state == "ready"


def test_counting_does_not_start_again_after_domain_0_stopped_it(sessions, host):
    recipe_start(sessions)
    sessions.stop("Domain-0")
    sessions.stop("db")
    outcome = sessions.start("db", SETUP)
    assert (host.state, outcome.stderr) == (
        "ready",
        ("nothing is counted until domain 0 runs opcontrol --start",),
    )


def test_counting_may_start_by_itself_again_after_the_next_start_daemon(sessions, host):
    recipe_start(sessions)
    for domain in ("web", "db", "Domain-0"):
        sessions.shutdown(domain)
    recipe_start(sessions)
    assert host.state == "profiling"


def test_strict_counts_nothing_until_domain_0_starts(strict, host):
    outcomes = recipe_start(strict)
    notice = "nothing is counted until domain 0 runs opcontrol --start"
    assert ([o.stderr for o in outcomes], host.state) == ([(notice,), (notice,)], "ready")
    assert strict.start("Domain-0", None).stdout == ("Profiler running.",)


def test_refused_start_in_domain_0_names_the_domains_that_are_missing(sessions):
    sessions.start_daemon("Domain-0", ALL)
    sessions.start("web", SETUP)
    outcome = sessions.start("Domain-0", None)
    assert (outcome.stdout, outcome.stderr, outcome.exit_code) == (
        (),
        (
            "/dev/oprofile/enable: Operation not permitted: not every active domain is ready",
            "run opcontrol --start in db first, then here again",
        ),
        1,
    )


def test_domain_that_is_not_listed_cannot_start(sessions):
    sessions.start_daemon("Domain-0", replace(SETUP, active_domains="0,1"))
    outcome = sessions.start("db", SETUP)
    assert (outcome.stderr, outcome.exit_code) == (
        (
            "Failed to open profile device: Operation not permitted",
            "domain 2 is not on the active list",
            "Couldn't start oprofiled.",
            'Check the log file "/var/lib/oprofile/samples/oprofiled.log" and kernel syslog',
        ),
        1,
    )


def test_refused_domain_list_fails_the_start_and_leaves_no_daemon(sessions):
    outcome = sessions.start_daemon("Domain-0", replace(SETUP, active_domains="0,9"))
    text = "/dev/oprofile/active_domains: Invalid argument: domain 9 cannot be active"
    assert (outcome.stderr, sessions.status("Domain-0")) == ((text,), DaemonStatus("stopped"))


def test_domain_lists_for_a_running_daemon_are_not_ignored_silently(sessions):
    sessions.start_daemon("Domain-0", replace(SETUP, active_domains="0,1"))
    assert sessions.start_daemon("Domain-0", ALL).exit_code == 1


def test_domain_that_shuts_down_while_counting_is_drained_and_leaves(sessions, host, tmp_path):
    recipe_start(sessions)
    host.driver("web").give(samples((USER, 0x400000), domain=1))
    outcome = sessions.shutdown("web")
    assert (outcome.exit_code, total(tmp_path, "web"), 1 in host.active, host.state) == (
        0,
        1,
        False,
        "profiling",
    )


def test_strict_shutdown_while_counting_is_refused_as_by_xen(strict, host):
    recipe_start(strict)
    strict.start("Domain-0", None)
    outcome = strict.shutdown("web")
    assert (outcome.exit_code, 1 in host.active) == (1, True)


def test_daemon_from_before_domain_0_restarted_must_restart_too(sessions):
    recipe_start(sessions)
    sessions.shutdown("Domain-0")
    sessions.start_daemon("Domain-0", ALL)
    outcome = sessions.start("web", SETUP)
    assert (outcome.exit_code, outcome.stderr) == (
        1,
        (
            "domain 0 has started another session since this daemon started: "
            "run opcontrol --shutdown and then --start here",
        ),
    )


def test_events_of_another_domain_only_name_its_files(sessions, host, tmp_path):
    sessions.start_daemon("Domain-0", replace(ALL, active_domains="0,1", events=(CYCLES, RETIRED)))
    sessions.start("web", replace(SETUP, events=(RETIRED,)))
    host.driver("web").give(
        samples(*({"mode": USER, "pc": 0x400000, "event": n} for n in (0, 3, 3)), domain=1)
    )
    sessions.dump("web")
    files = read_profile(directory(tmp_path, "web").path).files
    assert {(f.key.event, f.total) for f in files} == {("INSTR_RETIRED", 3)}


def test_domain_without_events_of_its_own_takes_those_of_domain_0(sessions, host, tmp_path):
    sessions.start_daemon("Domain-0", replace(ALL, active_domains="0,1", events=(RETIRED,)))
    sessions.start("web", SETUP)
    host.driver("web").give(samples({"mode": USER, "pc": 0x400000, "event": 3}, domain=1))
    sessions.dump("web")
    (file,) = read_profile(directory(tmp_path, "web").path).files
    assert file.key.event == "INSTR_RETIRED"


def test_passive_domains_are_filed_by_the_image_of_their_position(sessions, host, tmp_path):
    passive = replace(SETUP, passive_domains="2,1", passive_ranges=((0x1000, 0x2000),))
    sessions.start("Domain-0", passive)
    driver = host.driver("Domain-0")
    driver.give(samples((KERNEL, 0x1004), domain=2))
    driver.give(samples((KERNEL, KERNEL_START + 8), domain=1))
    sessions.dump("Domain-0")
    files = read_profile(directory(tmp_path).path).files
    assert {(f.key.image.path, *f.offsets.tolist()) for f in files} == {
        ("domain2-kernel", 4),
        ("domain1-kernel", 8),
    }


# -- what cannot be seen


def test_unseen_counts_only_while_the_host_counts(sessions, host, tmp_path):
    host.advance(5 * SECOND)
    sessions.start("Domain-0", SETUP)
    host.advance(8 * SECOND)
    sessions.stop("Domain-0")
    host.advance(20 * SECOND)
    sessions.dump("Domain-0")
    assert unseen(tmp_path) == {
        "idle_seconds": "12.000",
        "others_samples": "3000",
        "lost_samples": "0",
        "unread_samples": "0",
        "unprofiled_domains": "web,db,win",
    }


def test_domain_that_was_profiled_is_not_unseen_after_the_end(sessions, tmp_path):
    recipe_start(sessions)
    for domain in ("web", "db", "Domain-0"):
        sessions.shutdown(domain)
    assert unseen(tmp_path)["unprofiled_domains"] == "win"


def test_unseen_begins_anew_with_a_reset(sessions, host, tmp_path):
    sessions.start("Domain-0", SETUP)
    host.advance(8 * SECOND)
    sessions.reset("Domain-0")
    host.advance(9 * SECOND)
    sessions.dump("Domain-0")
    assert unseen(tmp_path)["others_samples"] == "1000"


def test_losses_of_the_daemon_are_told_to_the_host(sessions, host):
    sessions.start("Domain-0", SETUP)
    host.driver("Domain-0").give(samples((USER, 0x10)))
    sessions.dump("Domain-0")
    sessions.pump()
    assert host.counted_lost == {"Domain-0": {"no_mapping": 1}}


def test_dump_tells_the_losses_it_has_just_found(sessions, host, tmp_path):
    sessions.start("Domain-0", SETUP)
    host.driver("Domain-0").give(samples((USER, 0x10)))
    sessions.dump("Domain-0")
    assert unseen(tmp_path)["lost_samples"] == "1"


def test_session_directory_does_not_lead_out_of_the_domain(sessions, tmp_path):
    sessions.start_daemon("Domain-0", replace(SETUP, session_dir="/../../op"))
    assert (domain_root(tmp_path, "Domain-0") / "op/lock").exists()


# -- failures and the end


def fill_disk(monkeypatch):
    """Make every sample file unwritable until the returned function is called."""

    def full(path, header, offsets, counts):
        raise StoreFull(str(path), f"{Path(path).name}: No space left on device")

    monkeypatch.setattr(writer_module, "merge", full)
    return lambda: monkeypatch.setattr(writer_module, "merge", merge)


def test_full_disk_is_told_by_dump_and_the_next_one_writes_all(
    sessions, host, tmp_path, monkeypatch
):
    sessions.start("Domain-0", SETUP)
    make_room = fill_disk(monkeypatch)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    full = sessions.dump("Domain-0")
    make_room()
    again = sessions.dump("Domain-0")
    assert (full.exit_code, len(full.stderr), again.exit_code, total(tmp_path)) == (1, 1, 0, 1)


def test_samples_that_cannot_be_written_at_shutdown_are_counted_lost(sessions, host, monkeypatch):
    sessions.start("Domain-0", SETUP)
    fill_disk(monkeypatch)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    outcome = sessions.shutdown("Domain-0")
    assert (outcome.stderr[-1], host.counted_lost) == (
        "1 samples are lost, since they could not be written",
        {"Domain-0": {"store_write_failed": 1}},
    )


def test_destroyed_domain_leaves_what_was_taken_and_no_daemon(sessions, host, tmp_path):
    recipe_start(sessions)
    host.driver("web").give(samples((USER, 0x400000), domain=1))
    host.advance(SECOND)
    host.destroy("web")
    sessions.domain_gone("web")
    sessions.pump()
    assert (total(tmp_path, "web"), directory(tmp_path, "web").lock_pid()) == (1, None)


def test_close_writes_everything_and_ends_every_daemon(sessions, host, tmp_path):
    recipe_start(sessions)
    for domid, name in ((0, "Domain-0"), (1, "web"), (2, "db")):
        host.driver(name).give(samples((USER, 0x400000), domain=domid))
    sessions.close()
    assert [
        (total(tmp_path, name), directory(tmp_path, name).lock_pid())
        for name in ("Domain-0", "web", "db")
    ] == [(1, None)] * 3


def test_close_on_a_full_disk_says_so_after_ending_every_daemon(sessions, host, monkeypatch):
    recipe_start(sessions)
    fill_disk(monkeypatch)
    host.driver("web").give(samples((USER, 0x400000), domain=1))
    with pytest.raises(StoreError, match="No space left on device"):
        sessions.close()
    assert sessions.status("db") == DaemonStatus("stopped")


def test_files_are_written_unasked_every_ten_minutes(sessions, host, tmp_path):
    sessions.start("Domain-0", SETUP)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    host.advance(600 * SECOND)
    sessions.pump()
    assert total(tmp_path) == 1


def test_sample_files_are_written_on_the_stores_thread_only(host, tmp_path, monkeypatch):
    writers = set()

    def observed(path, header, offsets, counts):
        writers.add(threading.current_thread().name)
        merge(path, header, offsets, counts)

    def submit(job):
        thread = threading.Thread(target=job, name="store")
        thread.start()
        thread.join()

    monkeypatch.setattr(writer_module, "merge", observed)
    sessions = Sessions(host, tmp_path, submit=submit)
    sessions.start("Domain-0", SETUP)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    sessions.shutdown("Domain-0")
    assert writers == {"store"}
