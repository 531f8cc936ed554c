"""A guest's driver: the files of oprofilefs, the lists, the buffers and the daemon's own work.

Source: drivers/oprofile of Linux 2.6.18-xen, in the reference's words.
"""

import errno

import pytest

from hypervisor.errors import OprofilefsError
from tests.support.model.hosts import MS, cpu, domain, make_host
from tests.support.model.profiling import begin, set_counter, xenoprof_now


@pytest.fixture(scope="module")
def idle_host():
    return make_host(
        *(domain(f"d{n}", memory_mib=8, vif=[], disk=[]) for n in range(1, 27)), memory_mib=2048
    )


@pytest.fixture
def driver(idle_host):
    made = idle_host.profiler.oprofile("0")
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
        ("backtrace_depth", "0"),
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
     "stats/cpu0/sample_invalid_eip", "0/event/x"],
)  # fmt: skip
def test_other_files_are_not_there(driver, name):
    assert errno.EINVAL == refusal(lambda: driver.read(name))


@pytest.mark.parametrize(
    ("processor", "rules", "counters"),
    [("p4", "3.0.3", 8), ("p4-ht", "3.0.3", 4), ("core_2", "3.1", 2), ("hammer", "3.0.3", 4)],
)
def test_each_processor_has_its_counters(processor, rules, counters):
    made = make_host(cpu=processor, hypervisor=rules).profiler.oprofile("0")
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
    kept = xen.domains.active if name == "active_domains" else xen.domains.passive
    assert (errno.EINVAL, "", 0) == (got, driver.read(name), len(kept))


def test_domain_0_is_added_to_the_active_list(idle_host, driver):
    driver.write("active_domains", "2,1")
    assert ("2 1", [0, 1, 2]) == (
        driver.read("active_domains"),
        sorted(idle_host.xenoprof.domains.active),
    )


def test_25_passive_domains_are_taken(idle_host, driver):
    driver.write("passive_domains", ",".join(map(str, range(1, 26))))
    assert 25 == len(idle_host.xenoprof.domains.passive)


def test_25_active_domains_are_taken_with_domain_0_among_them(idle_host, driver):
    driver.write("active_domains", ",".join(map(str, range(25))))
    assert 25 == len(idle_host.xenoprof.domains.active)


def test_25_active_domains_besides_domain_0_are_one_too_many(idle_host, driver):
    text = ",".join(map(str, range(1, 26)))
    got = refusal(lambda: driver.write("active_domains", text))
    assert (errno.EINVAL, "", {}) == (
        got, driver.read("active_domains"), idle_host.xenoprof.domains.active
    )  # fmt: skip


def test_domain_0_cannot_be_passive(driver):
    assert errno.EINVAL == refusal(lambda: driver.write("passive_domains", "1,0"))


def test_a_guest_may_write_a_list_and_nothing_happens(idle_host, driver):
    driver.write("active_domains", "0,3")
    idle_host.profiler.oprofile("1").write("active_domains", "1,2")
    assert [0, 3] == sorted(idle_host.xenoprof.domains.active)


@pytest.mark.parametrize("name", LISTS)
def test_xen_keeps_its_list_while_a_daemon_runs(name):
    host = make_host(domain("a"), domain("b"))
    driver = host.profiler.oprofile("0")
    begin(host, (0, 1), (2,))
    got = refusal(lambda: driver.write(name, "1"))
    now = xenoprof_now(host)
    assert (errno.EINVAL, "", "profiling", (0, 1), (2,)) == (
        got, driver.read(name), now.state, now.active_domains, now.passive_domains
    )  # fmt: skip


# -- Daemons come and go


def test_a_buffer_is_opened_once():
    driver = make_host().profiler.oprofile("0")
    driver.open_buffer()
    assert errno.EBUSY == refusal(driver.open_buffer)


def test_counting_needs_domain_0s_daemon():
    driver = make_host().profiler.oprofile("0")
    assert (errno.EINVAL, "0") == (
        refusal(lambda: driver.write("enable", "1")),
        driver.read("enable"),
    )


def test_without_a_new_list_domain_0_is_alone_in_the_next_session():
    host = make_host(domain("a"))
    begin(host, (0, 1))
    driver = host.profiler.oprofile("0")
    driver.write("enable", "0")
    driver.close_buffer()  # domain 1 stays ready, and on the list
    driver.open_buffer()
    driver.write("enable", "1")
    assert (0,) == xenoprof_now(host).active_domains


def test_counting_ends_with_domain_0s_daemon():
    host = make_host(domain("a", cpu()))
    set_counter(host)
    begin(host)
    driver = host.profiler.oprofile("0")
    driver.close_buffer()
    host.advance(100 * MS)
    assert ("idle", 0, "0") == (
        xenoprof_now(host).state,
        xenoprof_now(host).total,
        driver.read("enable"),
    )


def test_a_session_can_be_begun_again():
    host = make_host(domain("a", cpu()))
    set_counter(host)
    begin(host, (0, 1))
    host.advance(100 * MS)
    for domid in (1, 0):
        if not domid:
            host.profiler.oprofile("0").write("enable", "0")
            host.profiler.oprofile("1").close_buffer()
        host.profiler.oprofile(str(domid)).close_buffer()
    begin(host, (0, 1))
    host.advance(host.now_ns + 100 * MS)
    assert xenoprof_now(host).active > 3000


def test_a_guests_enable_is_its_own_business():
    host = make_host(domain("a", cpu()))
    begin(host, (0, 1))
    guest = host.profiler.oprofile("a")
    guest.write("enable", "1")
    guest.write("enable", "0")
    assert ("profiling", "0") == (xenoprof_now(host).state, guest.read("enable"))


def test_samples_taken_before_a_daemon_goes_are_still_read():
    host = make_host(domain("a", cpu()))
    set_counter(host)
    begin(host, (0, 1))
    host.advance(90 * MS)
    guest = host.profiler.oprofile("a")
    guest.close_buffer()
    received = int(guest.read("stats/cpu0/sample_received"))
    host.advance(host.now_ns + 90 * MS)
    host.telemetry.snapshot()
    assert received > 2500
    assert received == int(guest.read("stats/cpu0/sample_received"))
