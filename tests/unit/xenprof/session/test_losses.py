"""What a session cannot show, and its end."""

import threading
from dataclasses import replace

import pytest

from tests.support.fake_host import (
    USER,
    samples,
)
from tests.support.session_setups import SECOND, SETUP, directory, recipe_start, total, unseen
from xenprof.errors import StoreError
from xenprof.home import domain_root
from xenprof.session.sessions import Sessions
from xenprof.store import placing
from xenprof.store.samplefile import merged


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
        "lost_reasons": "",
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
    assert host.profiler.counted_lost == {"Domain-0": {"no_mapping": 1}}


def test_dump_tells_the_losses_it_has_just_found(sessions, host, tmp_path):
    sessions.start("Domain-0", SETUP)
    host.driver("Domain-0").give(samples((USER, 0x10)))
    sessions.dump("Domain-0")
    assert unseen(tmp_path)["lost_samples"] == "1"


def lose(host, count, reason="cpu_buffer_overflow", domid=0):
    host.profiler.count_samples(domid, {reason: count})


def test_losses_count_also_while_nothing_is_counted(sessions, host, tmp_path):
    """A daemon may find out after the end that a sample has no place."""
    sessions.start("Domain-0", SETUP)
    sessions.stop("Domain-0")
    lose(host, 3, "no_mapping")
    sessions.shutdown("Domain-0")
    assert unseen(tmp_path)["lost_reasons"] == "no_mapping=3"


def test_losses_of_a_session_add_up_over_its_daemons(sessions, host, tmp_path):
    for count in (5, 7):
        sessions.start("Domain-0", SETUP)
        lose(host, count)
        sessions.shutdown("Domain-0")
    assert unseen(tmp_path)["lost_reasons"] == "cpu_buffer_overflow=12"


def test_time_and_other_domains_of_a_session_add_up_over_its_daemons(sessions, host, tmp_path):
    for _ in range(2):
        sessions.start("Domain-0", SETUP)
        host.advance(host.now_ns + 3 * SECOND)
        sessions.shutdown("Domain-0")
    found = unseen(tmp_path)
    assert ("24.000", "6000") == (found["idle_seconds"], found["others_samples"])


def test_what_a_daemon_left_unread_is_lost_when_the_next_one_empties_the_ring(
    sessions, host, tmp_path
):
    host.driver("Domain-0").files["unread"] = "4"
    sessions.start("Domain-0", SETUP)
    sessions.shutdown("Domain-0")
    left = unseen(tmp_path)
    host.driver("Domain-0").files["unread"] = "0"
    sessions.start("Domain-0", SETUP)
    sessions.shutdown("Domain-0")
    found = unseen(tmp_path)
    assert ("4", "") == (left["unread_samples"], left["lost_reasons"])
    assert ("0", "never_read=4") == (found["unread_samples"], found["lost_reasons"])


def test_a_new_session_begins_without_losses(sessions, host, tmp_path):
    sessions.start("Domain-0", SETUP)
    lose(host, 5)
    sessions.reset("Domain-0")
    lose(host, 2)
    sessions.dump("Domain-0")
    assert unseen(tmp_path)["lost_reasons"] == "cpu_buffer_overflow=2"


def test_losses_of_others_are_not_this_sessions(sessions, host, tmp_path):
    sessions.start("Domain-0", SETUP)
    lose(host, 5, domid=1)
    sessions.dump("Domain-0")
    assert unseen(tmp_path)["lost_samples"] == "0"


@pytest.mark.parametrize("text", ["idle_seconds x\nothers_samples -1\nlost_reasons a=b\n", "\0"])
def test_damaged_notes_of_an_earlier_daemon_are_skipped(sessions, tmp_path, text):
    path = directory(tmp_path).current / "stats/xenprof_unseen"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    sessions.start("Domain-0", SETUP)
    sessions.shutdown("Domain-0")
    assert unseen(tmp_path)["lost_samples"] == "0"


def test_a_folder_in_place_of_the_notes_is_set_aside_by_the_next_dump(sessions, host, tmp_path):
    sessions.start("Domain-0", SETUP)
    lose(host, 5)
    path = directory(tmp_path).current / "stats/xenprof_unseen"
    path.mkdir(parents=True)
    outcome = sessions.dump("Domain-0")
    assert (outcome.exit_code, unseen(tmp_path)["lost_samples"]) == (0, "5")


def test_notes_that_a_daemon_finds_damaged_are_told(host, tmp_path):
    path = directory(tmp_path).current / "stats/xenprof_unseen"
    path.parent.mkdir(parents=True)
    path.write_text("lost_rea")
    told: list[StoreError] = []
    Sessions(host, tmp_path, damaged=told.append).start("Domain-0", SETUP)
    assert [error.path for error in told] == [str(path)]


def drained(host):
    return [domid for domid in (0, 1, 2) if ("drain", "1") in host.profiler.driver(domid).writes]


def test_when_counting_stops_all_domains_read_their_rings(sessions, host):
    recipe_start(sessions)
    sessions.stop("Domain-0")
    assert drained(host) == [0, 1, 2]


def test_on_the_real_hypervisor_the_rings_keep_what_they_hold(strict, host):
    recipe_start(strict)
    strict.start("Domain-0", None)
    strict.stop("Domain-0")
    assert drained(host) == []


def test_session_directory_does_not_lead_out_of_the_domain(sessions, tmp_path):
    sessions.start_daemon("Domain-0", replace(SETUP, session_dir="/../../op"))
    assert (domain_root(tmp_path, "Domain-0") / "op/lock").exists()


def test_destroyed_domain_leaves_what_was_taken_and_no_daemon(sessions, host, tmp_path):
    recipe_start(sessions)
    host.driver("web").give(samples((USER, 0x400000), domain=1))
    host.advance(SECOND)
    host.destroy("web")
    sessions.domain_gone(1)
    sessions.pump()
    assert (total(tmp_path, "web"), directory(tmp_path, "web").lock_pid()) == (1, None)


def destroy_with_unread_samples(sessions, host):
    """Destroy web, whose 4 samples in Xen's ring are booked as lost with it."""
    host.driver("web").files["unread"] = "4"
    host.destroy("web")
    lose(host, 4, "domain_destroyed", domid=1)
    sessions.domain_gone(1)


def test_what_a_destroyed_domain_has_not_read_is_lost_once(sessions, host, tmp_path):
    recipe_start(sessions)
    destroy_with_unread_samples(sessions, host)
    found = unseen(tmp_path, "web")
    assert ("domain_destroyed=4", "0") == (found["lost_reasons"], found["unread_samples"])


def test_the_session_of_a_next_life_has_the_losses_of_the_earlier_one_once(
    sessions, host, tmp_path
):
    recipe_start(sessions)
    host.driver("web").give(samples((USER, 0x400000), domain=1))
    sessions.dump("web")
    destroy_with_unread_samples(sessions, host)
    sessions.shutdown("Domain-0")
    host.names[4] = "web"
    sessions.start_daemon("Domain-0", replace(SETUP, active_domains="0,4"))
    sessions.start("web", SETUP)
    host.driver("web").give(samples((USER, 0x400000), domain=4))
    sessions.dump("web")
    assert (total(tmp_path, "web"), unseen(tmp_path, "web")["lost_reasons"]) == (
        2,
        "domain_destroyed=4",
    )


def test_a_renamed_domain_goes_on_where_its_root_has_moved(sessions, host, tmp_path):
    recipe_start(sessions)
    host.driver("web").give(samples((USER, 0x400000), domain=1))
    sessions.dump("web")
    domain_root(tmp_path, "web").rename(domain_root(tmp_path, "www"))
    host.names[1] = "www"
    sessions.domain_renamed("web", "www")
    host.driver("www").give(samples((USER, 0x400000), domain=1))
    outcome = sessions.shutdown("www")
    assert (outcome.exit_code, total(tmp_path, "www"), domain_root(tmp_path, "web").exists()) == (
        0,
        2,
        False,
    )


def test_close_writes_everything_and_ends_every_daemon(sessions, host, tmp_path):
    recipe_start(sessions)
    for domid, name in ((0, "Domain-0"), (1, "web"), (2, "db")):
        host.driver(name).give(samples((USER, 0x400000), domain=domid))
    sessions.close()
    assert [
        (total(tmp_path, name), directory(tmp_path, name).lock_pid())
        for name in ("Domain-0", "web", "db")
    ] == [(1, None)] * 3


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
        return merged(path, header, offsets, counts)

    def submit(job):
        thread = threading.Thread(target=job, name="store")
        thread.start()
        thread.join()

    monkeypatch.setattr(placing, "merged", observed)
    sessions = Sessions(host, tmp_path, submit=submit)
    sessions.start("Domain-0", SETUP)
    host.driver("Domain-0").give(samples((USER, 0x400000)))
    sessions.shutdown("Domain-0")
    assert writers == {"store"}
