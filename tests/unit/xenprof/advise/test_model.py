import pytest

from hypervisor.errors import ScenarioError
from xenprof.advise.model import parsed_tables, settings_of, tables_of, watched
from xenprof.advise.settings import Backing

MS = 10**6
TEXT = """
[domain0]
elevator = "as"
[[host.nic]]
name = "peth0"
[[host.nic]]
name = "eth1"
dedicated_to = "own"
[[host.store]]
name = "san"
kind = "fc"
[[host.store]]
name = "vg0"
kind = "lvm"
on = "san"
[[host.store]]
name = "server"
kind = "nfs"
path = "/nfs"
[[domain]]
name = "own"
[[domain]]
name = "web%02d"
count = 2
disk = ["phy:/dev/vg0/web%02d,xvda,w", "file:/a%d,xvdb,w", "file:/nfs/b%d,xvdc,w"]
vif = ["bridge=xenbr0, rate=10Mb/s"]
[[domain.workload]]
kind = "netperf"
direction = "to"
peer = "db"
[[domain]]
name = "db"
vif = ["bridge=xenbr0"]
"""


def test_each_domain_of_a_numbered_entry_has_a_table_of_its_own():
    names = [one["name"] for one in parsed_tables(TEXT, "t")["domain"]]
    assert ["own", "web01", "web02", "db"] == names
    assert [f"spare{n:02d}" for n in range(1, 51)] == [
        one["name"] for one in tables_of("busy32")["domain"][50:]
    ]


def test_a_scenario_tells_where_disks_are_and_what_a_host_can_be_asked():
    tables = parsed_tables(TEXT, "t")
    _, host = watched(tables, 0, MS)
    found = settings_of(tables, host)
    assert Backing("lvm", "sdb") == found.backings["phy:/dev/vg0/web01"]
    assert Backing("ext3", "sda") == found.backings["file:/a2"]
    assert Backing("nfs", None) == found.backings["file:/nfs/b1"]
    assert {"sda": "anticipatory", "sdb": "anticipatory"} == found.elevators
    assert {(2, 0): (62_500, 50_000), (3, 0): (62_500, 50_000), (4, 0): None} == found.rates
    assert {"sdb": "san"} == found.stores
    assert {2: "noop", 3: "noop"} == found.guest_elevators
    assert ("own",) == found.dedicated
    assert (("web01", "db"), ("web02", "db")) == found.inner_streams


@pytest.mark.parametrize("name", ["grumbel", "/nowhere.toml"])
def test_a_scenario_that_is_not_there_is_an_error(name):
    with pytest.raises(ScenarioError):
        tables_of(name)
