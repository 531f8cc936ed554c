from hypervisor.telemetry import DomainSnapshot, HostSnapshot
from xenprof.advise.settings import Settings, asked_settings

HOST = HostSnapshot(
    1, 1, 1, "h",
    domains=(
        DomainSnapshot(0, "Domain-0", kind="dom0"),
        DomainSnapshot(1, "web", kind="pv"),
        DomainSnapshot(2, "win", kind="hvm"),
        DomainSnapshot(3, "old", kind="hvm"),
    ),
)  # fmt: skip
CHOICES = "noop anticipatory [deadline] cfq\n"
FILES = {
    (0, ""): "block/sda/queue/scheduler\nblock/sda/queue/nr_requests\n",
    (0, "block/sda/queue/scheduler"): CHOICES,
    (1, ""): "block/xvda/queue/scheduler\n",
    (1, "block/xvda/queue/scheduler"): "[noop] cfq\n",
    (2, "bus/xen/drivers/vbd/bind"): "vbd\n",
    (2, "bus/xen/drivers/vif/bind"): "\n",
}
BACKEND = "/local/domain/0/backend/vif"
STORE = (
    (f"{BACKEND}/1/0/rate", "62500,50000"),
    (f"{BACKEND}/1/1/rate", "4294967295,0"),
    (f"{BACKEND}/2/0/rate", "no rate"),
    (f"{BACKEND}/2/0/mac", "1,2"),
)


class Host:
    def __init__(self, files, store) -> None:
        self.files = files
        self.nodes = store

    def sys(self, domid, name):
        return self.files.get((domid, name))

    def store(self):
        return self.nodes


def test_what_a_host_can_be_asked_is_found():
    expected = Settings(
        elevators={"sda": "deadline"},
        guest_elevators={1: "noop"},
        rates={(1, 0): (62_500, 50_000), (1, 1): None},
        emulated={(2, "vbd"): False, (2, "vif"): True},
    )
    assert expected == asked_settings(Host(FILES, STORE), HOST)


def test_of_a_host_that_cannot_be_asked_nothing_is_known():
    assert Settings() == asked_settings(Host({}, None), HOST)
