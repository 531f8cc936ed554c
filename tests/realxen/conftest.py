"""A real Xen for the tests of this folder: `make test-xen`."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.realxen.images import Images
from tests.support.realxen.machine import Machine

FOLDER = "XENPROF_REAL_XEN"
"""Environment variable: the folder where what the machine boots from is kept."""


@pytest.fixture(scope="session")
def xen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("a real Xen is built from Debian's packages by root alone")
    images = Images(Path(os.environ.get(FOLDER, "/var/tmp/xenprof-real-xen")))
    images.build()
    machine = Machine(images, tmp_path_factory.mktemp("xen"))
    machine.boot()
    yield machine
    machine.stop()
