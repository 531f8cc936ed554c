import pytest

from hypervisor.live.agent.domain0.devices import Devices
from tests.support.live.fakes import FakeStore


@pytest.fixture
def root(tmp_path):
    """Return the root of a host whose bus of backends has one vif."""
    (tmp_path / "sys/bus/xen-backend/devices/vif-1-0").mkdir(parents=True)
    return str(tmp_path)


def read(devices):
    life = (1, "u")
    devices.begin([(0, "zero"), life], 0)
    return devices.of(life)


def attached(kind, number, *, by=3, domid=1, front=None, back=None):
    """Return the nodes of a device with its backend in another domain, or what a guest writes."""
    backend = f"/local/domain/{by}/backend/{kind}/{domid}/{number}"
    frontend = f"/local/domain/{domid}/device/{kind}/{number}"
    return {f"{frontend}/backend": front or backend, f"{backend}/frontend": back or frontend}


def test_devices_of_a_driver_domain_are_known_beside_those_of_domain_0(root):
    store = FakeStore(
        {
            **attached("vif", 0, by=0),
            **attached("vif", 1),
            **attached("vbd", 51712),
            "/local/domain/1/device/vbd/x/backend": "/local/domain/3/backend/vbd/1/x",
        }
    )

    vifs, vbds = read(Devices(store, root))

    assert ([0, 1], [51712]) == ([one.vif for one in vifs], [one.device for one in vbds])


@pytest.mark.parametrize(
    "written",
    [
        {"/local/domain/1/device/vbd/7": ""},
        {"/local/domain/1/device/vbd/7/backend": "/local/domain/3/backend/vbd/1/7"},
        attached("vbd", 7, back="/local/domain/1/device/vbd/8"),
        attached("vbd", 7, back="/local/domain/2/device/vbd/7"),
        attached("vbd", 7, by=1),
        attached("vbd", 7, front="/local/domain/3/backend/vbd/1/8"),
        attached("vbd", 7, front="/local/domain/3/backend/vbd/2/7"),
        {
            "/local/domain/1/device/vbd/7/backend": "/local/domain/1/data",
            "/local/domain/1/data/frontend": "/local/domain/1/device/vbd/7",
        },
    ],
    ids=["bare", "no-backend", "other", "other-guest", "own", "number", "guest", "elsewhere"],
)
def test_a_device_is_not_believed_unless_a_backend_of_another_domain_names_it(root, written):
    store = FakeStore({**written, **attached("vbd", 1)})

    assert [1] == [one.device for one in read(Devices(store, root))[1]]


def test_a_guest_and_its_driver_domain_have_bounds_that_are_told(root):
    values = {}
    for number in range(1000):
        values.update(attached("vbd", number))
    devices = Devices(FakeStore(values), root)

    vifs, vbds = read(devices)

    assert (1, 64) == (len(vifs), len(vbds))
    assert "domain 1 has more than 64 of vbd with backends in other domains" == devices.left_out


def test_many_guests_of_a_driver_domain_have_a_bound_together(root):
    lives = [(domid, f"u{domid}") for domid in range(4, 24)]
    values = {}
    for domid, _ in lives:
        for number in range(60):
            values.update(attached("vbd", number, domid=domid))
    devices = Devices(FakeStore(values), root)

    devices.begin(lives, 0)

    assert [60] * 17 + [0] * 3 == [len(devices.of(life)[1] or ()) for life in lives]
    assert "more than 1024 have their backends in other domains" == devices.left_out
