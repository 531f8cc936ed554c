"""What the I/O scheduler of domain 0 does to guests (block/cfq-iosched.c, deadline-iosched.c)."""

import pytest

from tests.support.model.hosts import SECOND, domain, fileio, make_host, result

LOG = fileio(op="write", pattern="sequential", block_bytes=4096, direct=True)
READ = fileio(pattern="sequential", block_bytes=65536)
SMALL = fileio(block_bytes=4096)
HOG = fileio(op="write", pattern="sequential", block_bytes=65536, queue_depth=16)


def done(elevator, *domains, domain0=(), name, seconds=4):
    host = make_host(*domains, domain0={"elevator": elevator, "workload": list(domain0)})
    host.advance(seconds * SECOND)
    return result(host, name)["requests"]


def readers(count):
    return [domain(f"r{n}", READ) for n in range(count)]


def test_a_log_writer_beside_guests_that_read_loses_under_cfq_and_the_more_of_them_the_more():
    lost = {}
    for count in (1, 2):
        guests = [domain("log", LOG), *readers(count)]
        deadline, cfq = (done(one, *guests, name="log") for one in ("deadline", "cfq"))
        lost[count] = 1 - cfq / deadline
    assert 0.25 < lost[1] < lost[2]


def test_the_same_writer_in_domain_0_is_synchronous_and_loses_less_than_a_guest():
    guest = done("cfq", domain("log", LOG), *readers(2), name="log")
    own = done("cfq", *readers(2), domain0=[LOG], name="Domain-0")
    assert own > 2 * guest


def test_under_deadline_it_does_not_matter_where_it_writes():
    guest = done("deadline", domain("log", LOG), *readers(1), name="log")
    own = done("deadline", *readers(1), domain0=[LOG], name="Domain-0")
    assert guest == pytest.approx(own, rel=0.4)


def test_one_guest_alone_loses_little_to_the_elevator():
    rates = [
        done(one, domain("a", fileio(queue_depth=32)), name="a") for one in ("deadline", "cfq")
    ]
    assert rates[1] / rates[0] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("elevator", "kept"), [("cfq", 0.6), ("deadline", 0.15)])
def test_a_hog_that_writes_leaves_a_small_reader_its_part(elevator, kept):
    alone = done(elevator, domain("small", SMALL), name="small")
    beside = done(elevator, domain("hog", HOG), domain("small", SMALL), name="small")
    assert beside > kept * alone


def test_domain_0_reads_its_own_files_at_the_disks_rate():
    host = make_host(domain0={"workload": [fileio(pattern="sequential", block_bytes=4096)]})
    host.advance(3 * SECOND)
    assert 76 <= result(host, "Domain-0")["bytes"] / 3e6 <= 81
