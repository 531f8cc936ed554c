import pytest

from hypervisor.toolstack.operations.hotplug import BLOCK_SCRIPT_MS, VIF_SCRIPT_MS
from tests.support.fake_hypervisor import GUEST, Bench, refusal

BACK = "/local/domain/0/backend"


@pytest.fixture
def bench():
    bench = Bench()
    bench.create(GUEST)
    bench.fake.scripts.clear()
    return bench


def test_a_disk_and_an_interface_have_scripts_in_domain_0(bench):
    bench.result(bench.xend.devices.attach_block("web", "phy:sda3", "xvdb", "w"))
    bench.result(bench.xend.devices.attach_network("web", ""))

    assert bench.fake.scripts == [BLOCK_SCRIPT_MS, VIF_SCRIPT_MS]


def test_a_device_is_offered_when_its_script_has_ended_and_not_before(bench):
    bench.xend.devices.attach_block("web", "phy:sda3", "xvdb", "w")
    state = f"{BACK}/vbd/1/51728/state"
    before = bench.store.read(state)
    bench.after(0.06)

    assert (before, bench.store.read(state)) == ("1", "2")


def test_its_hotplug_status_says_connected(bench):
    bench.result(bench.xend.devices.attach_block("web", "phy:sda3", "xvdb", "w"))

    assert bench.store.read(f"{BACK}/vbd/1/51728/hotplug-status") == "connected"


def test_a_script_that_does_not_end_within_100_seconds_is_given_up(bench):
    bench.fake.script_ns = None
    operation = bench.xend.devices.attach_block("web", "phy:sda3", "xvdb", "w")
    bench.after(99.9)
    waits = not operation.is_done

    message = refusal(bench.result, operation, 0.2)
    assert (waits, message) == (
        True, "Device 51728 (vbd) could not be connected. Hotplug scripts not working.",
    )  # fmt: skip


def test_nodes_of_a_device_that_could_not_be_connected_are_taken_away(bench):
    before = bench.xend.views.xenstore()
    refusal(bench.result, bench.xend.devices.attach_block("web", "phy:nothing", "xvdb", "w"))

    assert [entry for entry in bench.xend.views.xenstore() if entry[1]] == [
        entry for entry in before if entry[1]
    ]


def test_a_script_that_ends_too_late_changes_nothing(bench):
    bench.fake.script_ns = 101 * 10**9
    operation = bench.xend.devices.attach_block("web", "phy:sda3", "xvdb", "w")
    refusal(bench.result, operation)
    bench.after(5)

    assert not [call for call in bench.fake.calls if call[0] == "add disk"]


def test_a_creation_whose_scripts_hang_is_torn_down_after_100_seconds(bench):
    bench.fake.script_ns = None
    operation = bench.xend.domains.create({**GUEST, "name": "b", "vif": [""]})
    bench.fake.script_ns = None
    bench.after(101)

    assert (operation.is_done, bench.names()) == (False, {0: "Domain-0", 1: "web"})


@pytest.mark.parametrize(
    ("disk", "reason"),
    [
        ("phy:nothing,xvdb,w", "Backend device not found. /dev/nothing is none of Domain-0's: "
                               "sda to sdp and hda to hdd, volumes of groups"),
        ("phy:sda3,xvdb,w", "Device /dev/sda3 is mounted in a guest domain, and so cannot be "
                            "mounted now. It is xvda of 'owner', with mode w; w! "
                            "shares it all the same"),
        ("file:/img,xvdb,w", "File /img is mounted in a guest domain, and so cannot be mounted "
                             "now. It is xvdb of 'owner', with mode w; w! shares it "
                             "all the same"),
        *((f"{kind}:some,xvdb,w", f"There is no /etc/xen/scripts/block-{kind} in Domain-0: name "
                                  "the device that it makes there, as in phy:/dev/sdb")
          for kind in ("iscsi", "drbd", "npiv")),
    ],
)  # fmt: skip
def test_what_domain_0_cannot_offer(bench, disk, reason):
    owner = {**GUEST, "name": "owner", "disk": ["phy:sda3,xvda,w", "file:/img,xvdb,w"]}
    bench.create(owner)

    message = refusal(bench.create, {**GUEST, "name": "b", "disk": [disk]})
    assert message == f"Device 51728 (vbd) could not be connected. {reason}"


def test_a_vif_does_not_get_the_name_of_another():
    bench = Bench()
    bench.create({**GUEST, "name": "owner", "vif": ["vifname=front"]})

    message = refusal(bench.create, {**GUEST, "name": "b", "vif": ["vifname=front"]})
    assert message == (
        "Device 0 (vif) could not be connected. ip link set front failed: that is a vif of 'owner' "
        "already"
    )


@pytest.mark.parametrize(
    ("vifname", "reason"),
    [
        ("eth0", "that is an interface of Domain-0 already"),
        ("vif7.0", "that is what an interface of another guest is called"),
        ("tap1.0", "that is what an interface of another guest is called"),
    ],
)
def test_a_vif_does_not_get_a_name_of_domain_0_or_of_a_guest_to_come(vifname, reason):
    bench = Bench(interfaces={"eth0": "an interface"})
    vif = f"vifname={vifname}"

    message = refusal(bench.create, {**GUEST, "name": "b", "vif": [vif]})
    assert message == (
        f"Device 0 (vif) could not be connected. ip link set {vifname} failed: {reason}"
    )


def test_a_vif_may_have_the_name_that_it_has_without_one():
    assert Bench().create({**GUEST, "name": "b", "vif": ["vifname=vif1.0"]}) == 1


def test_domain_0s_own_vifs_come_behind_netloops():
    bench = Bench(interfaces={"eth0": "an interface", "vif0.0": "an interface"})
    bench.result(bench.xend.devices.attach_network("Domain-0", ""))

    assert [device.number for device in bench.context.infos[0].devices] == [1]


@pytest.mark.parametrize(
    ("disk", "how"),
    [
        ("phy:/dev//sda3", "is"),
        ("file:/dev/sda3", "is"),
        ("phy:sda", "has the partition /dev/sda3, which is"),
    ],
)
def test_a_held_device_is_known_by_any_name(bench, disk, how):
    bench.create({**GUEST, "name": "owner", "disk": ["phy:sda3,xvda,w"]})

    message = refusal(bench.create, {**GUEST, "name": "b", "disk": [f"{disk},xvdb,w"]})
    assert f"It {how} xvda of 'owner', with mode w; w! shares it all the same" in message


@pytest.mark.parametrize("disk", ["nbd:10.0.0.1:1234,xvdb,w", "enbd:one,xvdb,w"])
def test_types_with_a_block_script_of_xens_own_are_connected(bench, disk):
    assert bench.create({**GUEST, "name": "b", "disk": [disk]}) == 2


def test_empty_drives_are_connected_without_a_backing(bench):
    bench.create({**GUEST, "name": "owner", "disk": [",hdc:cdrom,r"]})

    assert bench.create({**GUEST, "name": "b", "disk": [",hdc:cdrom,r", ",hdd:cdrom,r"]}) == 3
    nodes = [
        bench.store.read(f"{BACK}/vbd/3/5632/{name}") for name in ("type", "params", "sectors")
    ]
    assert ["", "", "0"] == nodes


@pytest.mark.parametrize(
    ("mine", "theirs"), [("r", "r"), ("w!", "w"), ("w!", "r")], ids=lambda mode: mode
)
def test_who_shares_a_disk_safely_or_insists_gets_it(bench, mine, theirs):
    bench.create({**GUEST, "name": "owner", "disk": [f"phy:sda3,xvda,{theirs}"]})

    assert bench.create({**GUEST, "name": "b", "disk": [f"phy:sda3,xvda,{mine}"]}) == 3


@pytest.mark.parametrize(("mine", "theirs"), [("w", "r"), ("r", "w"), ("w", "w")])
def test_who_would_see_a_disk_change_under_it_does_not_get_it(bench, mine, theirs):
    bench.create({**GUEST, "name": "owner", "disk": [f"phy:sda3,xvda,{theirs}"]})

    config = {**GUEST, "name": "b", "disk": [f"phy:sda3,xvda,{mine}"]}
    assert "is mounted in a guest domain" in refusal(bench.create, config)


def test_a_disk_is_free_again_once_its_domain_is_destroyed(bench):
    bench.create({**GUEST, "name": "owner", "disk": ["phy:sda3,xvda,w"]})
    bench.xend.domains.destroy("owner")

    assert bench.create({**GUEST, "name": "b", "disk": ["phy:sda3,xvda,w"]}) == 3


def test_there_are_eight_loop_devices(bench):
    disks = [f"file:/img{n},xvd{chr(97 + n)},w" for n in range(9)]
    bench.create({**GUEST, "name": "eight", "disk": disks[:8]})

    message = refusal(bench.create, {**GUEST, "name": "nine", "disk": disks[8:]})
    assert "unused loop device" in message


def test_tap_disks_need_no_loop_devices(bench):
    disks = [f"tap:aio:/img{n},xvd{chr(97 + n)},w" for n in range(9)]

    assert bench.create({**GUEST, "name": "nine", "disk": disks}) == 2
