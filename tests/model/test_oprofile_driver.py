"""A guest's driver: the files of oprofilefs, the lists, the buffers and the daemon's own work.

Source: drivers/oprofile of Linux 2.6.18-xen, in the reference's words.
"""

import errno

import pytest

from hypervisor.errors import OprofilefsError
from tests.model.hosts import MS, SECOND, burst, cpu, domain, make_host, seen
from tests.model.profiling import begin, dumped, end, set_counter


@pytest.fixture(scope="module")
def idle_host():
    return make_host(
        *(domain(f"d{n}", memory_mib=8, vif=[], disk=[]) for n in range(1, 27)), memory_mib=2048
    )


@pytest.fixture
def driver(idle_host):
    made = idle_host.oprofile("0")
    yield made
    for name in ("active_domains", "passive_domains"):
        made.write(name, "")


def refusal(call):
    with pytest.raises(OprofilefsError) as caught:
        call()
    return caught.value.errno


# -- Files


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enable", "0"),
        ("buffer_size", "131072"),
        ("buffer_watershed", "32768"),
        ("cpu_buffer_size", "8192"),
        ("cpu_type", "i386/p4"),
        ("pointer_size", "8"),
        ("active_domains", ""),
        ("passive_domains", ""),
        ("0/enabled", "0"),
        ("7/event", "0"),
        ("7/count", "0"),
        ("0/unit_mask", "0"),
        ("3/kernel", "1"),
        ("3/user", "1"),
        ("stats/sample_lost_no_mm", "0"),
        ("stats/sample_lost_no_mapping", "0"),
        ("stats/event_lost_overflow", "0"),
        ("stats/bt_lost_no_mapping", "0"),
        ("stats/cpu0/sample_received", "0"),
        ("stats/cpu0/sample_lost_overflow", "0"),
        ("stats/cpu0/backtrace_aborted", "0"),
    ],
)
def test_files_and_what_they_hold_at_first(driver, name, value):
    assert value == driver.read(name)


@pytest.mark.parametrize(
    "name",
    ["", "0", "0/", "0/edge", "8/event", "-1/event", "00/event", "stats/", "stats/cpu1/sample_received",
     "stats/cpu0/sample_invalid_eip", "backtrace_depth", "0/event/x"],
)  # fmt: skip
def test_other_files_are_not_there(driver, name):
    assert errno.EINVAL == refusal(lambda: driver.read(name))


@pytest.mark.parametrize(
    ("processor", "rules", "counters"),
    [("p4", "3.0.3", 8), ("p4-ht", "3.0.3", 4), ("core_2", "3.1", 2), ("hammer", "3.0.3", 4)],
)
def test_each_processor_has_its_counters(processor, rules, counters):
    made = make_host(cpu=processor, hypervisor=rules).oprofile("0")
    assert "0" == made.read(f"{counters - 1}/event")
    assert errno.EINVAL == refusal(lambda: made.write(f"{counters}/event", "1"))


@pytest.mark.parametrize(
    ("text", "value"), [("29", "29"), ("0x1d", "29"), ("035", "29"), ("0", "0")]
)
def test_numbers_are_decimal_hexadecimal_or_octal(driver, text, value):
    driver.write("0/event", text)
    assert value == driver.read("0/event")


@pytest.mark.parametrize("text", ["", "-1", "1x", "0x", "08", "1_0", "0b1", "ten", "1 2"])
def test_what_is_no_number_is_refused_and_changes_nothing(driver, text):
    driver.write("1/count", "5000")
    assert (errno.EINVAL, "5000") == (
        refusal(lambda: driver.write("1/count", text)),
        driver.read("1/count"),
    )


@pytest.mark.parametrize("name", ["cpu_type", "stats/event_lost_overflow", "0/edge", "nothing"])
def test_other_files_cannot_be_written(driver, name):
    assert errno.EINVAL == refusal(lambda: driver.write(name, "1"))


# -- Lists of domains

LISTS = ["active_domains", "passive_domains"]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("3", "3"),
        ("1,2", "1 2"),
        ("2 1\n", "2 1"),
        ("0x1a,012", "26 10"),
        ("1;2:3, 4", "1 2 3 4"),
        ("5,", "5"),
        ("", ""),
    ],
)
def test_a_list_is_read_back_as_numbers_between_blanks(driver, name, text, back):
    driver.write(name, text)
    assert back == driver.read(name)


JUNK = ["x", "1,x", "1x", "2,0x", "1,08", "-1", ",1", "99", "1,99", "1,2 three", "4294967297", "é"]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("text", [*JUNK, ",".join(map(str, range(1, 27)))])
def test_junk_unknown_domains_and_too_many_leave_an_empty_list(idle_host, driver, name, text):
    driver.write(name, "1,2")
    got = refusal(lambda: driver.write(name, text))
    xen = idle_host.xenoprof
    kept = xen.active if name == "active_domains" else xen.passive
    assert (errno.EINVAL, "", 0) == (got, driver.read(name), len(kept))


def test_domain_0_is_added_to_the_active_list(idle_host, driver):
    driver.write("active_domains", "2,1")
    assert ("2 1", [0, 1, 2]) == (driver.read("active_domains"), sorted(idle_host.xenoprof.active))


def test_25_passive_domains_are_taken(idle_host, driver):
    driver.write("passive_domains", ",".join(map(str, range(1, 26))))
    assert 25 == len(idle_host.xenoprof.passive)


def test_25_active_domains_are_taken_with_domain_0_among_them(idle_host, driver):
    driver.write("active_domains", ",".join(map(str, range(25))))
    assert 25 == len(idle_host.xenoprof.active)


def test_25_active_domains_besides_domain_0_are_one_too_many(idle_host, driver):
    text = ",".join(map(str, range(1, 26)))
    got = refusal(lambda: driver.write("active_domains", text))
    assert (errno.EINVAL, "", {}) == (
        got, driver.read("active_domains"), idle_host.xenoprof.active
    )  # fmt: skip


def test_domain_0_cannot_be_passive(driver):
    assert errno.EINVAL == refusal(lambda: driver.write("passive_domains", "1,0"))


def test_a_guest_may_write_a_list_and_nothing_happens(idle_host, driver):
    driver.write("active_domains", "0,3")
    idle_host.oprofile("1").write("active_domains", "1,2")
    assert [0, 3] == sorted(idle_host.xenoprof.active)


@pytest.mark.parametrize("name", LISTS)
def test_xen_keeps_its_list_while_a_daemon_runs(name):
    host = make_host(domain("a"), domain("b"))
    driver = host.oprofile("0")
    begin(host, (0, 1), (2,))
    got = refusal(lambda: driver.write(name, "1"))
    now = host.snapshot().xenoprof
    assert (errno.EINVAL, "", "profiling", (0, 1), (2,)) == (
        got, driver.read(name), now.state, now.active_domains, now.passive_domains
    )  # fmt: skip


# -- Daemons come and go


def test_a_buffer_is_opened_once():
    driver = make_host().oprofile("0")
    driver.open_buffer()
    assert errno.EBUSY == refusal(driver.open_buffer)


def test_counting_needs_domain_0s_daemon():
    driver = make_host().oprofile("0")
    assert (errno.EINVAL, "0") == (
        refusal(lambda: driver.write("enable", "1")),
        driver.read("enable"),
    )


def test_without_a_new_list_domain_0_is_alone_in_the_next_session():
    host = make_host(domain("a"))
    begin(host, (0, 1))
    driver = host.oprofile("0")
    driver.write("enable", "0")
    driver.close_buffer()  # domain 1 stays ready, and on the list
    driver.open_buffer()
    driver.write("enable", "1")
    assert (0,) == host.snapshot().xenoprof.active_domains


def test_counting_ends_with_domain_0s_daemon():
    host = make_host(domain("a", cpu()))
    set_counter(host)
    begin(host)
    driver = host.oprofile("0")
    driver.close_buffer()
    host.advance(100 * MS)
    assert ("idle", 0, "0") == (
        host.snapshot().xenoprof.state,
        host.snapshot().xenoprof.total,
        driver.read("enable"),
    )


def test_a_session_can_be_begun_again():
    host = make_host(domain("a", cpu()))
    set_counter(host)
    begin(host, (0, 1))
    host.advance(100 * MS)
    for domid in (1, 0):
        if not domid:
            host.oprofile("0").write("enable", "0")
            host.oprofile("1").close_buffer()
        host.oprofile(str(domid)).close_buffer()
    begin(host, (0, 1))
    host.advance(host.now_ns + 100 * MS)
    assert host.snapshot().xenoprof.active > 3000


def test_a_guests_enable_is_its_own_business():
    host = make_host(domain("a", cpu()))
    begin(host, (0, 1))
    guest = host.oprofile("a")
    guest.write("enable", "1")
    guest.write("enable", "0")
    assert ("profiling", "0") == (host.snapshot().xenoprof.state, guest.read("enable"))


def test_samples_taken_before_a_daemon_goes_are_still_read():
    host = make_host(domain("a", cpu()))
    set_counter(host)
    begin(host, (0, 1))
    host.advance(90 * MS)
    guest = host.oprofile("a")
    guest.close_buffer()
    received = int(guest.read("stats/cpu0/sample_received"))
    host.advance(host.now_ns + 90 * MS)
    host.snapshot()
    assert received > 2500
    assert received == int(guest.read("stats/cpu0/sample_received"))


# -- Buffers


def profiled(count=100_000, **values):
    host = make_host(domain("a", cpu()))
    for domid in (0, 1):
        for name, value in values.items():
            host.oprofile(str(domid)).write(name, str(value))
    set_counter(host, count=count)
    begin(host, (0, 1))
    return host, host.oprofile("a")


def test_the_daemon_sleeps_below_the_watershed():
    host, guest = profiled(buffer_size=60_000, buffer_watershed=10_000)
    host.advance(700 * MS)  # 22 400 samples of two entries each
    assert ([], True) == (guest.read_buffer(), guest.pending() > 15_000)


def test_the_watershed_wakes_the_daemon():
    host, guest = profiled(buffer_size=60_000, buffer_watershed=10_000)
    host.advance(1100 * MS)
    assert sum(map(len, guest.read_buffer())) >= 20_000


def test_a_dump_delivers_everything():
    host, guest = profiled()
    host.advance(50 * MS)
    host.oprofile("0").write("enable", "0")
    received = len(dumped(host, guest))
    assert received == int(guest.read("stats/cpu0/sample_received")) > 1500


def test_a_dump_of_nothing_does_not_wake_the_daemon_later():
    host = make_host(domain("a", burst(5, 100)))
    set_counter(host)
    begin(host, (0, 1))
    guest = host.oprofile("a")
    host.oprofile("0").write("enable", "0")
    dump_all(host, guest)
    host.oprofile("0").write("enable", "1")
    host.advance(host.now_ns + SECOND)
    assert ([], True) == (guest.read_buffer(), guest.pending() > 1000)


def dump_all(host, guest):
    guest.write("dump", "1")
    host.advance(host.now_ns + 500 * MS)
    guest.read_buffer()


@pytest.mark.parametrize("slots", [2, 10, 100, 1000])
def test_a_cpu_buffer_holds_less_than_its_slots(slots):
    host, guest = profiled(cpu_buffer_size=slots)
    host.advance(90 * MS)  # 2880 samples before the first move
    host.oprofile("0").write("enable", "0")
    received = int(guest.read("stats/cpu0/sample_received"))
    lost = int(guest.read("stats/cpu0/sample_lost_overflow"))
    assert received - lost == guest.pending() < slots
    assert lost > 1000


@pytest.mark.parametrize(("count", "lost_percent"), [(100_000, 0), (50_000, 0), (30_000, 23)])
def test_a_cpu_buffer_is_emptied_each_100_ms(count, lost_percent):
    """8191 slots: at a count of 50 000, 6400 samples come in that time, at 30 000 10 700."""
    host, guest = profiled(count=count)
    host.advance(2 * SECOND)
    received = int(guest.read("stats/cpu0/sample_received"))
    lost = int(guest.read("stats/cpu0/sample_lost_overflow"))
    assert lost_percent == pytest.approx(100 * lost / received, abs=1)


def test_looking_at_the_host_does_not_fill_its_cpu_buffers():
    host, guest = profiled(count=50_000)
    for _ in range(60):
        host.advance(host.now_ns + 37 * MS)
        host.snapshot()
    assert "0" == guest.read("stats/cpu0/sample_lost_overflow")


def test_a_full_cpu_buffer_leaves_passive_samples_in_their_ring():
    host = make_host(domain("a", cpu(), cpus="1"), domain0={"cpus": "0", "workload": [burst(5, 5)]})
    driver = host.oprofile("0")
    driver.write("cpu_buffer_size", "5")
    set_counter(host)
    begin(host, (0,), (1,))
    host.advance(40 * MS)
    host.snapshot()
    assert host.xenoprof.unread(1) > 1000


def test_the_driver_tells_what_is_unread_in_the_rings():
    host = make_host(domain("a", cpu()))
    set_counter(host)
    begin(host, (0,), (1,))
    host.hypercalls.pause_domain(0)
    host.advance(20 * MS)
    passive = host.snapshot().xenoprof.passive
    assert str(passive) == host.oprofile("0").read("unread")


def test_passive_samples_come_through_domain_0():
    host = make_host(
        domain("a", cpu(), cpus="1"), domain0={"cpus": "0", "workload": [burst(1, 10)]}
    )
    set_counter(host)
    begin(host, (0,), (1,))
    host.advance(300 * MS)
    batch = end(host)[0]
    assert {0, 1} == set(batch.domain.tolist())


# -- What profiling costs a domain


def test_the_daemons_work_is_done_in_its_domain():
    host, guest = profiled(buffer_size=60_000, buffer_watershed=50_000)
    host.advance(3 * SECOND)
    batches = [lot.load() for lot in guest.read_buffer()]
    (daemon,) = (task for task in guest.tasks().values() if task.program == "/usr/bin/oprofiled")
    mine = sum(int((batch.tgid == daemon.tgid).sum()) for batch in batches)
    assert 0.003 < mine / sum(map(len, batches)) < 0.03


def test_a_passive_domains_samples_are_domain_0s_work():
    used = []
    for passive in ((), (1,)):
        host = make_host(
            domain("a", cpu(), cpus="1"), domain0={"cpus": "0", "workload": [burst(1, 20)]}
        )
        set_counter(host, count=50_000)
        begin(host, (0,), passive)
        host.advance(2 * SECOND)
        used.append(seen(host, "Domain-0").cpu_ns)
    assert used[1] > 1.25 * used[0]
