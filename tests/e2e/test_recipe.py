"""The ten steps of the talk, with every program a process, and their reports and balances."""

import re
from types import SimpleNamespace

import pytest

from tests.support.e2e.host import VMLINUX, XEN, Host

GUEST = "rhel5pvtest"  # id 3
ROW = re.compile(r"^(\d+) +(\d+\.\d+) +(.+?) +(\S+)$")

# As pasted from the talk, its wrapped lines joined.
STOPPED = "opcontrol -shutdown"
DAEMON = (
    f"opcontrol --reset ; opcontrol --start-daemon --active-domains=0,3 --vmlinux={VMLINUX} "
    f"--xen={XEN} -separate=all"
)
START = f"opcontrol --reset ; opcontrol --start -vmlinux={VMLINUX}"
STOP = "opcontrol --stop ; opcontrol -shutdown"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    host = Host(tmp_path_factory.mktemp("home"), "--speed", "max")
    yield host
    host.close()


@pytest.fixture(scope="module")
def recipe(host):
    """Run the recipe once: return what each step printed, and the reports of steps 9 and 10."""
    steps = [
        host.run(STOPPED),
        host.run(STOPPED, GUEST),
        host.run(DAEMON),
        host.run(START, GUEST),
    ]
    host.wait(5)
    steps += [host.run(STOP, GUEST), host.run(STOP)]
    return SimpleNamespace(
        steps=steps,
        guest=host.run("opreport -l", GUEST),
        domain_0=host.run("opreport -l --merge all"),
        counters=host.xenoprof(),
        lost=host.lost(),
        stored=host.stored("Domain-0") + host.stored(GUEST),
        unread=host.unread("Domain-0") + host.unread(GUEST),
    )


def rows(report):
    """Return {(image, symbol): samples} of `opreport -l`."""
    found = (ROW.match(line) for line in report.stdout.splitlines())
    return {(m[3], m[4]): int(m[1]) for m in found if m}


def images(report):
    return {image for image, symbol in rows(report) if symbol != "(no symbols)"}


def test_every_step_succeeds(recipe):
    assert [step.returncode for step in recipe.steps] == [0] * 6, recipe.steps


def test_dashes_of_the_talk_are_understood_with_a_notice(recipe):
    assert "opcontrol: read as --separate=all" in recipe.steps[2].stderr.splitlines()


def test_counting_starts_when_the_last_listed_domain_has_started(recipe):
    assert "counting has started in all active domains" in recipe.steps[3].stderr


@pytest.mark.parametrize(
    "image", ["xen-syms-2.6.18-8.el5.debug", "vmlinux", "oprofiled", "libpython2.4.so.1.0"]
)
def test_domain_0_shows_symbols_of_hypervisor_kernel_and_programs(recipe, image):
    assert image in images(recipe.domain_0)


def test_the_guest_shows_its_own_program_first(recipe):
    counts = rows(recipe.guest)

    assert max(counts, key=counts.__getitem__) == ("linpack", "dgemm")


def test_domain_0_does_not_show_the_guests_program(recipe):
    assert "linpack" not in images(recipe.domain_0)


def test_the_report_tells_what_it_cannot_see(recipe):
    assert "note: not profiled: DesktopVM, ossvm02, r5b2-mySQL01" in recipe.domain_0.stderr


def test_the_hypervisor_counts_each_sample_once(recipe):
    parts = ("active", "passive", "others", "lost", "invalid", "corrupted")

    assert recipe.counters["total"] == sum(recipe.counters[part] for part in parts)
    assert recipe.counters["active"] > 10_000


def test_each_logged_sample_is_stored_lost_with_a_reason_or_unread(recipe):
    lost_above_xen = sum(n for (_, reason), n in recipe.lost.items() if reason != "ring_full")

    assert recipe.counters["active"] == recipe.stored + lost_above_xen + recipe.unread


@pytest.fixture(scope="module")
def passive(host, recipe, tmp_path_factory):
    """Profile domain 1 passively from domain 0, with links that give its samples symbols."""
    assert recipe.steps[-1].returncode == 0  # one session after the other
    done = host.run(
        f"opcontrol --reset && opcontrol --start --active-domains=0 --passive-domains=1 "
        f"--vmlinux={VMLINUX} --xen={XEN}"
    )
    assert done.returncode == 0, done.stderr
    host.wait(3)
    done = host.run(STOP)
    assert done.returncode == 0, done.stderr
    links = tmp_path_factory.mktemp("links")
    domain = host.home / "domains/DesktopVM"
    (links / "domain1-kernel").symlink_to(domain / VMLINUX.lstrip("/"))
    (links / "domain1-xen").symlink_to(host.home / "domains/Domain-0" / XEN.lstrip("/"))
    return SimpleNamespace(
        plain=host.run("opreport --merge all"),
        linked=host.run(f"opreport -l --merge all -p {links}"),
        counters=host.xenoprof(),
    )


@pytest.mark.parametrize("part", ["kernel", "apps", "xen"])
def test_a_passive_domain_appears_in_parts(passive, part):
    assert f"domain1-{part}" in passive.plain.stdout.split()


@pytest.mark.parametrize(
    ("image", "symbol"), [("domain1-kernel", "tcp_sendmsg"), ("domain1-xen", "do_page_fault")]
)
def test_an_image_of_that_name_gives_a_passive_domain_symbols(passive, image, symbol):
    assert (image, symbol) in rows(passive.linked)


def test_passive_samples_are_in_the_balance(passive):
    counters = passive.counters
    parts = ("active", "passive", "others", "lost", "invalid", "corrupted")

    assert counters["total"] == sum(counters[part] for part in parts)
    assert counters["passive"] > 1000
