"""A key that would change nothing is refused, and told why."""

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.scenario.spec import parse_scenario

GUEST = '[[domain]]\nname = "a"\ndisk = ["phy:sdb,xvda,w"]\nvif = [""]\nmemory_mib = 512\n'


def refused(text):
    with pytest.raises(ScenarioError) as refusal:
        parse_scenario(text, "file")
    return str(refusal.value)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("request_bytes = 5", "request_bytes changes nothing with TCP_STREAM; it is for TCP_RR, UDP_RR, TCP_CRR"),
        ("response_bytes = 5\ntest = 'UDP_STREAM'", "response_bytes changes nothing with UDP_STREAM"),
        ("message_bytes = 5\ntest = 'TCP_RR'", "message_bytes changes nothing with TCP_RR; it is for TCP_STREAM, UDP_STREAM"),
        ("rate_bits_per_second = 5\ntest = 'TCP_CRR'", "rate_bits_per_second changes nothing with TCP_CRR"),
        ("socket_bytes = 5\ntest = 'UDP_STREAM'", "socket_bytes changes nothing with UDP_STREAM; it is for TCP_STREAM"),
        ("tso = false\ntest = 'UDP_RR'", "tso changes nothing with UDP_RR"),
        ("tso = false", "tso is the sender's, and with direction 'receive' that is outside"),
        ("acks_each_packet = true\ndirection = 'transmit'", "acks_each_packet is for direction 'to', with tso"),
    ],
)  # fmt: skip
def test_of_netperf_by_its_test_and_direction(keys, said):
    text = f"{GUEST}[[domain.workload]]\nkind = 'netperf'\n{keys}\n"
    assert refused(text).startswith(f"file: domain[a].workload[0]: {said}")


def test_keys_with_their_usual_values_are_let_as_a_counted_domain_has_them_all():
    work = "[[domain.workload]]\nkind = 'netperf'\ntest = 'TCP_RR'\nmessage_bytes = 16384\n"
    guest = '[[domain]]\nname = "a%d"\ncount = 2\nvif = [""]\n'
    assert len(parse_scenario(guest + work, "file").domains) == 2


def test_fsync_is_for_phases_that_write():
    work = "[[domain.workload]]\nkind = 'iozone'\nphases = ['read']\nfsync = true\n"
    assert refused(GUEST + work) == "file: domain[a].workload[0]: fsync is for phases that write"


@pytest.mark.parametrize("key", ['bridge = "xenbr1"', "netloop = true", "outlook_queues = true"])
def test_a_dedicated_card_is_on_no_bridge(key):
    card = f'[[host.nic]]\nname = "eth7"\ndedicated_to = "a"\n{key}\n'
    name = key.partition(" ")[0]
    assert f"a dedicated card is on no bridge: leave out {name}" in refused(card + GUEST)


@pytest.mark.parametrize(
    "key",
    ["speed_mbit = 10", "moderation = 500", "tso = true", "checksums = false", "outlook_joins = true"],
)  # fmt: skip
def test_a_dummy_device_has_no_wire(key):
    card = f'[[host.nic]]\nkind = "dummy"\n{key}\n'
    name = key.partition(" ")[0]
    assert f"a dummy device has no wire: leave out {name}" in refused(card)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[host.nic]]\nname = "eth0"\nbridge = "b"', "the card is the system's: leave out bridge"),
        ('[[host.nic]]\nname = "eth0"\nnetloop = false', "the card is the system's: leave out netloop"),
        ('[[host.nic]]\nname = "eth0"\ndedicated_to = "x"', "the card is the system's: leave out dedicated_to"),
        ('netfront_receive = "flip"', "host.netfront_receive needs Xen"),
        ("outlook_fewer_copies = true", "host.outlook_fewer_copies needs Xen"),
    ],
)  # fmt: skip
def test_without_xen_there_are_no_bridges_and_rings(text, said):
    assert said in refused(f'[host]\nhypervisor = "none"\n{text}\n')


@pytest.mark.parametrize("rate", ["abc", "10MB", "0Mb/s", "99999999999Gb/s"])
def test_a_rate_that_limits_nothing_is_refused(rate):
    message = refused(f'[[domain]]\nname = "a"\nvif = ["bridge=xenbr0, rate={rate}"]\n')
    assert message == (
        f"file: domain[a].vif: vif rate '{rate}' limits nothing; write one such as 10Mb/s or "
        "1MB/s@20ms, or leave it out"
    )


def test_the_ceiling_of_memory_is_not_below_it():
    message = refused('[[domain]]\nname = "a"\nmemory_mib = 128\nmaxmem_mib = 64\n')
    assert message == "file: domain[a]: maxmem_mib is the ceiling: 128 at least"
