import pytest

from hypervisor.live.agent.errors import StoreFailed, Unavailable
from hypervisor.live.sources import indomain0
from hypervisor.live.sources.indomain0 import SAMPLE_HERTZ, InDomain0
from hypervisor.live.sources.source import Unreachable
from tests.support.live.reports import report


class Machine:
    """An agent.opening.OpenHost."""

    interface = "domctl 0x15, sysctl 0x15"

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.hertz = 0
        self.is_closed = False

    def poll(self):
        if self.failure is not None:
            raise self.failure
        return report()

    def sample(self, hertz: int) -> None:
        self.hertz = hertz

    def close(self) -> None:
        self.is_closed = True


def test_it_opens_this_machine_and_samples(monkeypatch):
    machine = Machine()
    monkeypatch.setattr(indomain0, "this_host", lambda: machine)
    source = InDomain0.opened()

    assert (SAMPLE_HERTZ, report()) == (machine.hertz, source.read())


def test_a_machine_that_is_no_domain_0_is_told_in_a_line(monkeypatch):
    def refuse():
        raise Unavailable("/dev/xen/privcmd", "there is no such file", "run this in domain 0")

    monkeypatch.setattr(indomain0, "this_host", refuse)

    with pytest.raises(Unreachable) as refused:
        InDomain0.opened()
    assert "/dev/xen/privcmd: there is no such file; run this in domain 0" == str(refused.value)


@pytest.mark.parametrize("failure", [StoreFailed("no answer"), OSError("no answer")])
def test_a_poll_that_fails_is_a_failure_of_the_source(failure):
    machine = Machine()
    machine.failure = failure

    with pytest.raises(Unreachable, match=r"^no answer$"):
        InDomain0(machine).read()


def test_it_closes_what_it_has_opened():
    machine = Machine()
    InDomain0(machine).close()

    assert machine.is_closed
