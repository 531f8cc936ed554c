import pytest

from hypervisor.errors import Refused
from hypervisor.model.domain.evtchn import PORTS, EventChannels


def test_ports_are_given_out_from_one_and_the_lowest_free_first():
    channels = EventChannels()
    first, second = (channels.bind("interdomain", "vif") for _ in range(2))
    channels.close(first)

    again = channels.bind("interdomain", "vbd")

    assert (1, 2) == (again.number, second.number)


def test_a_domain_has_4095_ports():
    channels = EventChannels()
    for _ in range(PORTS["x86_64"] - 1):
        channels.bind("interdomain", "vif")

    with pytest.raises(Refused, match="no free event channel"):
        channels.bind("interdomain", "vif")


def test_notifications_of_all_ports_are_summed():
    channels = EventChannels()
    for _ in range(3):
        channels.bind("interdomain", "vif").notify(channels.bind("interdomain", "peer"), 2)

    assert 6 == channels.sent


@pytest.mark.parametrize(("arch", "limit"), [("i386", 1024), ("x86_64", 4096)])
def test_all_ports_are_used_when_the_next_is_refused(arch, limit):
    channels = EventChannels(PORTS[arch])
    used = [channels.used]
    with pytest.raises(Refused):
        while True:
            channels.bind("interdomain", "vif")
    used.append(channels.used)

    assert [1, limit] == used  # port 0 is reserved from the beginning
