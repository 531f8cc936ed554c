"""An iSCSI LUN that a guest attaches itself, and the same LUN as a block device of domain 0."""

from re import escape

import pytest

from hypervisor.errors import Refused, ScenarioError
from hypervisor.model.machine import build
from hypervisor.model.scenario.spec import parse_scenario
from tests.support.measured import measured
from tests.support.model.hosts import SECOND, cpu_percent, result, seen

HOST = """
[host]
cpu = "p4"
mhz = 3200
memory_mib = 2048
[[host.store]]
name = "san"
kind = "iscsi"
[domain0]
memory_mib = 256
vcpus = 1
[[domain]]
name = "a"
memory_mib = 128
"""
PROXIED = 'disk = ["phy:/dev/san/a,xvda,w"]'
ATTACHED = 'vif = ["bridge=xenbr0"]'
FILEIO = '[[domain.workload]]\nkind = "fileio"\ndirect = true\n'


def host_of(devices, work, seconds=2):
    lun = 'lun = "san"\n' if devices == ATTACHED else ""
    host = build(parse_scenario(HOST + devices + "\n" + FILEIO + lun + work, "t"), epoch_ns=0)
    host.advance(seconds * SECOND)
    return host


STREAM = 'pattern = "sequential"\nblock_bytes = 65536\nqueue_depth = 4\nrate_per_second = 400'


@pytest.mark.parametrize("op", ["read", "write"])
def test_a_lun_is_as_fast_through_domain_0_as_attached_to_the_guest(op):
    # Both stream over the same gigabit link, at less than it can.
    rates = [
        result(host_of(way, f'op = "{op}"\n{STREAM}'), "a")["bytes"] for way in (PROXIED, ATTACHED)
    ]
    assert rates[1] == pytest.approx(rates[0], rel=0.05)


def test_a_guest_that_attaches_it_pays_for_its_packets_itself_and_in_domain_0():
    # Per KiB: the guest has the initiator and netfront, domain 0 the bridge and netback; proxied,
    # the guest has blkfront alone, and domain 0 the initiator.
    hosts = {way: host_of(way, STREAM) for way in (PROXIED, ATTACHED)}
    guest, domain0 = (
        {way: cpu_percent(host, name) for way, host in hosts.items()} for name in ("a", "Domain-0")
    )
    assert guest[ATTACHED] > 3 * guest[PROXIED]
    assert sum(one[ATTACHED] for one in (guest, domain0)) > 1.3 * sum(
        one[PROXIED] for one in (guest, domain0)
    )


def test_a_small_request_takes_longer_than_through_domain_0():
    # Its packets cross bridge and netback besides: two domains are woken on the way back.
    waits = [
        result(host_of(way, 'op = "write"'), "a")["latency_seconds"]["mean"]
        for way in (PROXIED, ATTACHED)
    ]
    assert waits[0] < waits[1] < waits[0] + 0.0005


def test_its_bytes_are_those_of_the_interface_and_of_no_virtual_disk():
    host = host_of(ATTACHED, STREAM)
    vif = seen(host, "a").vifs[0]
    assert measured(vif.receive_bytes) >= result(host, "a")["bytes"]
    assert seen(host, "a").vbds == ()


def test_it_is_a_scsi_disk_of_the_guest():
    host = host_of(ATTACHED, STREAM)
    line = next(
        one for one in host.toolstack.views.proc("a", "diskstats").splitlines() if " sda " in one
    )
    assert int(line.split()[3]) > 0


@pytest.mark.parametrize(
    ("devices", "lun", "words"),
    [
        (
            ATTACHED,
            "sann",
            "lun 'sann' is no store of kind 'iscsi' (did you mean 'san'?); there are san",
        ),
        (PROXIED, "san", "lun 'san' needs a vif"),
    ],
)
def test_a_lun_that_cannot_be_attached_is_refused(devices, lun, words):
    text = HOST + devices + "\n" + FILEIO + f'lun = "{lun}"'
    with pytest.raises(ScenarioError, match=escape(words)):
        parse_scenario(text, "t")


def test_domain_0_has_the_lun_already():
    text = HOST.replace(
        "[[domain]]",
        '[[domain0.workload]]\nkind = "fileio"\ndirect = true\nlun = "san"\n[[domain]]',
    )
    with pytest.raises(ScenarioError, match="lun is for guests"):
        parse_scenario(text, "t")


BESIDE = 'vif = ["bridge=xenbr0"]\ndisk = ["phy:/dev/sdb1,sda,w"]'


def test_a_lun_beside_a_disk_called_sda_is_sdb():
    host = host_of(BESIDE, 'lun = "san"\n', seconds=1)
    rows = host.toolstack.views.proc("a", "diskstats").splitlines()
    assert [row.split()[2] for row in rows] == ["sdb", "sda"]


@pytest.mark.parametrize("name", ["sda", "2048", "/dev/sda"])
@pytest.mark.parametrize("domain", ["a", "Domain-0"])
def test_a_disk_that_the_kernel_has_already_is_not_attached(name, domain):
    host = host_of(ATTACHED, "rate_per_second = 10\n", seconds=1)
    operation = host.toolstack.devices.attach_block(domain, "phy:/dev/sdc1", name, "w")
    host.advance_until(lambda: operation.is_done, 5 * SECOND)
    with pytest.raises(Refused, match="the kernel has a SCSI disk sda already"):
        operation.result()
