"""A real Xen for the tests of this folder: `make test-xen`."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.realxen.images import Images
from tests.support.realxen.machine import Machine
from tests.support.realxen.outside import OutsideAgent

FOLDER = "XENPROF_REAL_XEN"
"""Environment variable: the folder where what the machine boots from is kept."""


@pytest.fixture(scope="session")
def images() -> Images:
    """Return what machines boot from, which is built the first time."""
    if os.geteuid() != 0:
        pytest.skip("a real Xen is built from Debian's packages by root alone")
    found = Images(Path(os.environ.get(FOLDER, "/var/tmp/xenprof-real-xen")))
    found.build()
    return found


@pytest.fixture(scope="session")
def xen(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(images, tmp_path_factory.mktemp("xen"))
    machine.boot()
    yield machine
    machine.stop()


@pytest.fixture(scope="session")
def agent(xen: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OutsideAgent]:
    """Yield an agent that runs."""
    agent = OutsideAgent(xen, tmp_path_factory.mktemp("agent"))
    agent.start()
    yield agent
    agent.end()


@pytest.fixture(scope="session")
def busy(xen: Machine) -> Iterator[Machine]:
    """Yield a host with four guests: three compute and share pcpu 1, one reads its disk."""
    xen.run("xl vcpu-pin Domain-0 0 0")
    for name, weight, cap in (("web", 256, 0), ("db", 512, 0), ("batch", 256, 25)):
        xen.create(name, weight=weight, cap=cap, pcpus="1", wishes="spin=1")
    xen.create("idle1", pcpus="0", wishes="io=1 address=10.9.0.9", has_disk=True)
    yield xen
    for name in ("web", "db", "batch", "idle1"):
        xen.run(f"xl destroy {name}")
