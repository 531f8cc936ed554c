"""The state machine of opcontrol's verbs, on one domain."""

from dataclasses import replace

import pytest

from hypervisor.errors import UnknownDomain
from tests.support.fake_host import (
    HTTPD,
    KERNEL,
    KERNEL_END,
    KERNEL_START,
    USER,
    samples,
)
from tests.support.session_setups import CYCLES, RETIRED, SETUP, STARTED, directory, total
from xenprof.home import domain_root
from xenprof.store.sessiondir import read_profile
from xenprof.wire.opcontrol import Setup


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
    host.set_paused("web", paused=True)
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
    assert (
        outcome.stdout,
        total(tmp_path),
        directory(tmp_path).lock_pid(),
        host.profiler.state,
    ) == (
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
