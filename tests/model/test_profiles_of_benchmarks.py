"""Where benchmarks spend their time: the images and functions that are expected of each."""

import pytest

from tests.support.model.functions import images, shares
from tests.support.model.hosts import SECOND, domain, make_host


def ran(workload, seconds=10, **given):
    host = make_host(
        domain("a", workload, cpus="1", memory_mib=1024, **given),
        domain0={"cpus": "0"}, cpu="p4-ht", memory_mib=4096,
    )  # fmt: skip
    host.advance(seconds * SECOND)
    return host


def top(host, count, image):
    return [name for key, name in list(shares(host, "a"))[:count] if key == image]


@pytest.fixture(scope="module")
def linpack():
    return ran({"kind": "linpack", "n": 1000})


@pytest.fixture(scope="module")
def fserver():
    return ran({"kind": "aim7", "mix": "fserver", "users": 10}, seconds=30)


@pytest.fixture(scope="module")
def iozone():
    return ran({"kind": "iozone"})


def test_linpack_is_daxpy(linpack):
    assert ("linpack", "daxpy") == next(iter(shares(linpack, "a")))
    assert images(linpack, "a")["linpack"] > 0.97


def test_a_compiler_is_hardly_in_the_kernel():
    found = images(ran({"kind": "build"}), "a")
    assert found["cc1"] > 0.85
    assert 0.02 < found["vmlinux"] < 0.1


def test_the_build_writes_through_the_file_system():
    found = images(ran({"kind": "build", "writes_objects": True}), "a")
    assert 0 < found["ext3"] < 0.03


def test_a_file_server_copies_and_looks_pages_up(fserver):
    """generic_file_buffered_write, do_generic_mapping_read and their copies lead in the kernel."""
    names = top(fserver, 16, "vmlinux")
    assert "copy_user_generic" in names
    assert {"generic_file_buffered_write", "do_generic_mapping_read"} & set(names)


def test_a_file_server_uses_ext3_and_its_journal(fserver):
    found = images(fserver, "a")
    assert found["ext3"] > 0.02
    assert found["jbd"] > 0.01


def test_compute_is_the_code_of_its_users():
    found = images(ran({"kind": "aim7", "mix": "compute", "users": 100}), "a")
    assert found["aim7"] + found["libc"] > 0.85


def test_iozone_copies(iozone):
    assert ("vmlinux", "copy_user_generic") == next(iter(shares(iozone, "a")))


def test_guests_that_read_and_write_wake_domain_0_for_themselves(fserver):
    """Domain 0's blkback works for the guest that asked it."""
    spent = {
        image: share for image, share in images(fserver, "Domain-0").items() if image == "blkbk"
    }
    assert spent["blkbk"] > 0
