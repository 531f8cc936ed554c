import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from hypervisor.compiled.engine import SWITCH, choose, running
from hypervisor.compiled.toolchain import NoCompiler, toolchain

settings.register_profile("untimed", deadline=None)  # no test fails because a machine is busy
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=["pure", "compiled"],
        help="run the model of this process so; default: compiled if it is",
    )
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the expected texts of tests/golden"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the engine of this process; programs that tests start choose for themselves."""
    wanted = config.getoption("--engine")
    if wanted == "compiled" and not choose().is_compiled:
        try:
            toolchain()
        except NoCompiler as reason:
            pytest.exit(f"{reason}: nothing to test compiled", returncode=0)
        pytest.exit(f"the model is not compiled: {choose().reason}", returncode=1)
    if wanted == "pure":
        with pytest.MonkeyPatch.context() as context:
            context.setenv(SWITCH, "1")
            import hypervisor.model  # noqa: F401  # makes its choice now
        if running().is_compiled:  # a conftest.py below has imported the model before
            pytest.exit("the model runs compiled already: name fewer folders", returncode=1)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_the_disk() -> Iterator[None]:
    """Leave out fsync in this process, where a power loss would lose tests and nothing else."""
    with pytest.MonkeyPatch.context() as context:
        context.setattr(os, "fsync", lambda fd: None)
        yield
