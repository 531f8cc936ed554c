import pytest

from tests.support.fake_hypervisor import GUEST, Bench, refusal


def test_a_guest_has_the_documented_defaults():
    bench = Bench()
    bench.create({"name": "a", "kernel": "/boot/vmlinuz"})
    spec = bench.fake.specs[1]
    assert (
        spec.vcpus,
        spec.memory_kib,
        spec.maximum_kib,
        spec.weight,
        spec.cap_percent,
        spec.affinity,
        spec.on_poweroff,
        spec.on_reboot,
        spec.on_crash,
    ) == (1, 128 * 1024, 128 * 1024, 256, 0, None, "destroy", "restart", "restart")


def test_maxmem_below_memory_is_raised_to_it():
    bench = Bench()
    bench.create({**GUEST, "maxmem": 64})
    assert bench.fake.specs[1].maximum_kib == 128 * 1024


def test_a_random_mac_lies_in_xens_range():
    bench = Bench()
    bench.create({**GUEST, "vif": [""]})
    mac = bench.fake.specs[1].vifs[0].mac
    prefix, tail = mac[:9], mac[9:]
    assert prefix == "00:16:3e:"
    assert int(tail[:2], 16) <= 0x7F


def test_two_hosts_with_one_seed_draw_the_same_uuid_and_mac():
    one, other = Bench(), Bench()
    for bench in (one, other):
        bench.create({**GUEST, "vif": ["", ""]})
    assert one.fake.specs[1] == other.fake.specs[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "Missing VM Name"),
        ({"name": "a b"}, "Invalid VM Name 'a b'; use letters, digits and _-.:/+"),
        ({"kernel": ""}, "No kernel specified"),
        ({"memory": 0}, "Invalid memory size"),
        ({"memory": "lots"}, "invalid value for memory: 'lots' is not a number"),
        ({"vcpus": 33}, "Invalid VCPUs: 33; a domain has 1 to 32"),
        (
            {"disk": ["sda"]},
            "Invalid disk specifier: sda; write TYPE:PATH,DEVICE,MODE, as in phy:/dev/sdb1,xvda,w",
        ),
        (
            {"disk": ["phy:a,xvda,w", "phy:b,xvda,w"]},
            "Device xvda (51712, vbd) is already connected.",
        ),
        (
            {"vif": ["x=1"]},
            "Invalid vif option: x; use type, mac, bridge, ip, script, backend, "
            "vifname, rate, model",
        ),
        ({"disk": 3}, "invalid value for disk: a list of strings is needed"),
        ({"cpus": "9"}, "(22, 'Invalid argument')"),
        (
            {"on_crash": "explode"},
            "invalid value for on_crash: 'explode'; use destroy, restart, preserve, rename-restart",
        ),
        ({"uuid": "1-2"}, "invalid value for uuid: '1-2'; write 32 hexadecimal digits"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused_in_one_line(change, message):
    assert message == refusal(Bench().create, {**GUEST, **change})


def test_a_config_file_without_name_gives_its_own():
    bench = Bench()
    bench.result(
        bench.xend.domains.create_from_text("kernel = '/k'", "/etc/xen/mail", {"vcpus": ["4"]})
    )
    assert (bench.fake.specs[1].name, bench.fake.specs[1].vcpus) == ("mail", 4)


def test_3_0_3_stores_no_weight_and_cap_of_a_configuration():
    bench = Bench()
    bench.create({**GUEST, "cpu_weight": 512, "cpu_cap": 50})
    assert bench.xend.resources.sched_credit("web") == (256, 0)


def test_3_1_applies_weight_and_cap_of_a_configuration():
    bench = Bench(tools="3.1")
    bench.create({**GUEST, "cpu_weight": 512, "cpu_cap": 50})
    assert bench.xend.resources.sched_credit("web") == (512, 50)
