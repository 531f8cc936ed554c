"""What daemons have stored is told by life of a domain, and takes bounded memory."""

from dataclasses import replace

from hypervisor.telemetry import Mode
from tests.support.fake_host import FakeHost
from xenprof.oprofiled.tallies import Told
from xenprof.session.storedcounts import MOST_IMAGES, MOST_SYMBOLS, OTHER, StoredCounts

EVENT = "GLOBAL_POWER_EVENTS"


def snapshot(*uuids):
    """Return a snapshot of Domain-0 and a guest x; `uuids` are theirs."""
    host = FakeHost("Domain-0", "x").telemetry.snapshot()
    domains = [
        replace(domain, uuid=uuid) for domain, uuid in zip(host.domains, uuids, strict=False)
    ]
    return replace(host, domains=tuple(domains), samples=())


def images(*rows):
    """Return what a daemon tells: rows of domid, image, and samples."""
    return Told({(domid, Mode.USER, image, EVENT): n for domid, image, n in rows}, {})


def symbols(*rows):
    return Told({}, {(domid, "/bin/a", symbol, EVENT): n for domid, symbol, n in rows})


def told(completed):
    return {(row.domain, row.uuid, row.image): row.samples for row in completed.image_samples}


def test_a_snapshot_is_as_the_host_gives_it_when_nothing_was_stored():
    given = snapshot("a", "b")
    assert given is StoredCounts().complete(given)


def test_samples_add_up():
    counts = StoredCounts()
    counts.add(images((1, "/bin/a", 3)))
    counts.complete(snapshot("a", "b"))
    counts.add(images((1, "/bin/a", 4), (0, "/bin/a", 1)))
    assert {("x", "b", "/bin/a"): 7, ("Domain-0", "a", "/bin/a"): 1} == told(
        counts.complete(snapshot("a", "b"))
    )


def test_the_next_life_of_an_id_counts_from_zero():
    counts = StoredCounts()
    counts.add(images((1, "/bin/a", 3)))
    counts.complete(snapshot("a", "b"))
    counts.add(images((1, "/bin/a", 4)))
    assert {("x", "c", "/bin/a"): 4} == told(counts.complete(snapshot("a", "c")))


def test_a_life_that_has_ended_is_forgotten():
    counts = StoredCounts()
    counts.add(images((1, "/bin/a", 3)))
    counts.complete(snapshot("a", "b"))
    counts.add(images((1, "/bin/a", 2)))  # its daemon's last ones
    assert {} == told(counts.complete(snapshot("a")))


def test_a_renamed_domain_keeps_its_samples():
    counts = StoredCounts()
    counts.add(images((1, "/bin/a", 3)))
    before = snapshot("a", "b")
    counts.complete(before)
    renamed = (before.domains[0], replace(before.domains[1], name="y"))
    assert {("y", "b", "/bin/a"): 3} == told(counts.complete(replace(before, domains=renamed)))


def test_of_too_many_images_the_later_ones_are_one():
    counts = StoredCounts()
    counts.add(images(*((1, f"/bin/{number}", 1) for number in range(MOST_IMAGES + 5))))
    found = told(counts.complete(snapshot("a", "b")))
    assert (MOST_IMAGES + 1, 5) == (len(found), found["x", "b", OTHER])


def test_an_image_that_is_counted_apart_stays_so():
    counts = StoredCounts()
    counts.add(images(*((1, f"/bin/{number}", 1) for number in range(MOST_IMAGES + 5))))
    counts.add(images((1, "/bin/0", 6)))
    assert 7 == told(counts.complete(snapshot("a", "b")))["x", "b", "/bin/0"]


def test_the_functions_with_most_samples_are_shown():
    counts = StoredCounts(top_symbols=2)
    counts.add(symbols((1, "few", 1), (1, "most", 9), (1, "more", 5)))
    found = counts.complete(snapshot("a", "b")).symbol_samples
    assert [("most", 9), ("more", 5)] == [(row.symbol, row.samples) for row in found]


def test_of_too_many_functions_the_later_ones_are_one():
    counts = StoredCounts(top_symbols=1)
    counts.add(symbols(*((1, f"f{number}", 1) for number in range(MOST_SYMBOLS + 7))))
    (found,) = counts.complete(snapshot("a", "b")).symbol_samples
    assert (OTHER, 7) == (found.symbol, found.samples)
