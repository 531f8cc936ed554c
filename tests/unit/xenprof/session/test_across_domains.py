"""The coupling of daemons of several domains."""

from dataclasses import replace

from tests.support.fake_host import (
    KERNEL,
    KERNEL_START,
    USER,
    samples,
)
from tests.support.session_setups import ALL, CYCLES, RETIRED, SETUP, directory, recipe_start, total
from xenprof.store.sessiondir import read_profile
from xenprof.wire.opcontrol import DaemonStatus


def test_counting_starts_with_the_last_other_active_domain(sessions, host):
    first, last = recipe_start(sessions)
    assert (first.stderr, last.stderr, host.profiler.state) == (
        ("counting starts when db has run opcontrol --start",),
        (
            "counting has started in all active domains; "
            "real Xen waits for opcontrol --start in domain 0",
        ),
        "profiling",
    )


def test_counting_does_not_start_by_itself_for_domain_0_alone(sessions, host):
    sessions.start_daemon("Domain-0", replace(SETUP, active_domains="0"))
    assert host.profiler.state == "ready"


def test_counting_does_not_start_again_after_domain_0_stopped_it(sessions, host):
    recipe_start(sessions)
    sessions.stop("Domain-0")
    sessions.stop("db")
    outcome = sessions.start("db", SETUP)
    assert (host.profiler.state, outcome.stderr) == (
        "ready",
        ("nothing is counted until domain 0 runs opcontrol --start",),
    )


def test_counting_may_start_by_itself_again_after_the_next_start_daemon(sessions, host):
    recipe_start(sessions)
    for domain in ("web", "db", "Domain-0"):
        sessions.shutdown(domain)
    recipe_start(sessions)
    assert host.profiler.state == "profiling"


def test_strict_counts_nothing_until_domain_0_starts(strict, host):
    outcomes = recipe_start(strict)
    notice = "nothing is counted until domain 0 runs opcontrol --start"
    assert ([o.stderr for o in outcomes], host.profiler.state) == ([(notice,), (notice,)], "ready")
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
    assert (
        outcome.exit_code,
        total(tmp_path, "web"),
        1 in host.profiler.active,
        host.profiler.state,
    ) == (
        0,
        1,
        False,
        "profiling",
    )


def test_strict_shutdown_while_counting_is_refused_as_by_xen(strict, host):
    recipe_start(strict)
    strict.start("Domain-0", None)
    outcome = strict.shutdown("web")
    assert (outcome.exit_code, 1 in host.profiler.active) == (1, True)


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


def test_what_domain_0_counts_names_the_files_of_another_domain(sessions, host, tmp_path):
    sessions.start_daemon("Domain-0", replace(ALL, active_domains="0,1", events=(CYCLES, RETIRED)))
    sessions.start("web", replace(SETUP, events=(RETIRED,)))
    host.driver("web").give(
        samples(*({"mode": USER, "pc": 0x400000, "event": n} for n in (0, 3, 3)), domain=1)
    )
    sessions.dump("web")
    files = read_profile(directory(tmp_path, "web").path).files
    assert {(f.key.event, f.total) for f in files} == {
        ("GLOBAL_POWER_EVENTS", 1),
        ("INSTR_RETIRED", 2),
    }


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
