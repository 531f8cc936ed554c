"""The hosts that the contracts test, and the capabilities that each claims."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import pytest

from hypervisor.errors import Capability
from hypervisor.model.native import offered
from tests.support.hosts_in_part import WatchedHost
from tests.support.live.hosts import HeldHost
from tests.support.live.traced_host import TracedHost
from tests.support.model.hosts import cpu, domain, make_host
from tests.support.sparse_host import SparseHost

CAPABILITIES: tuple[Capability, ...] = get_args(Capability)


def model(rules):
    return make_host(
        domain("busy", cpu()),
        domain("windows", cpu(), kind="hvm", vif=[], disk=[]),
        hypervisor=rules,
    )


@dataclass(frozen=True)
class Claim:
    """A host with Domain-0.

    One with a toolstack has a PV guest `busy` that computes, and (profiled) an HVM `windows`.
    """

    build: Callable
    capabilities: tuple[Capability, ...] = CAPABILITIES


HOSTS = {
    "model-3.0.3": Claim(lambda: model("3.0.3")),
    "model-3.1": Claim(lambda: model("3.1")),
    "without-xen": Claim(lambda: offered(make_host(hypervisor="none")), ()),
    "telemetry": Claim(lambda: WatchedHost(model("3.0.3")), ()),
    "sparse": Claim(SparseHost, ()),
    "live": Claim(HeldHost, ()),
    "live-traced": Claim(TracedHost, ("tracer",)),
}


def pytest_generate_tests(metafunc):
    """Run a test with every host that claims the capabilities it uses."""
    if "claim" in metafunc.fixturenames:
        needed = set(CAPABILITIES) & set(metafunc.fixturenames)
        names = [name for name, one in HOSTS.items() if needed <= set(one.capabilities)]
        metafunc.parametrize("claim", [HOSTS[name] for name in names], ids=names)


@pytest.fixture
def host(claim):
    return claim.build()


@pytest.fixture
def toolstack(host):
    return host.toolstack


@pytest.fixture
def profiler(host):
    return host.profiler


@pytest.fixture
def tracer(host):
    return host.tracer
