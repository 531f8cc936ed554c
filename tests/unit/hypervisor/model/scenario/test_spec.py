import pytest

from hypervisor.domainsettings import SedfParameters
from hypervisor.errors import ScenarioError
from hypervisor.model.scenario.spec import load_scenario, parse_scenario, scenario_names
from hypervisor.model.scenario.workloads import CpuWorkload, parse_workloads

GUEST = '[[domain]]\nname = "web"\n'
WORK = GUEST + "[[domain.workload]]\n"


def refusal(text):
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(text, "mine.toml")
    return str(refused.value)


def test_grumble_has_the_talks_domains_in_the_order_of_their_ids():
    names = [domain.name for domain in load_scenario("grumble").domains]
    assert names == ["DesktopVM", "ossvm02", "rhel5pvtest", "r5b2-mySQL01"]


def test_busy32_has_32_pcpus_and_100_domains_half_of_them_loaded():
    scenario = load_scenario("busy32")
    loaded = [d for d in scenario.domains if {w.kind for w in d.workload} != {"idle"}]
    assert (scenario.host.pcpus, len(scenario.domains), len(loaded)) == (32, 100, 50)


def test_an_empty_scenario_is_grumbles_machine_with_domain_0_alone():
    scenario = parse_scenario("", "mine.toml")
    assert (scenario.host.pcpus, scenario.domain0_vcpus, scenario.domains) == (4, 4, ())


def test_count_numbers_names_and_devices():
    text = '[[domain]]\nname = "web%02d"\ncount = 2\ndisk = ["phy:/dev/w%d,xvda,w"]\n'
    domains = parse_scenario(text, "mine.toml").domains
    assert [(domain.name, domain.disk) for domain in domains] == [
        ("web01", ("phy:/dev/w1,xvda,w",)),
        ("web02", ("phy:/dev/w2,xvda,w",)),
    ]


def test_a_workload_is_chosen_by_its_kind():
    scenario = parse_scenario(WORK + 'kind = "cpu"\nthreads = 2\n', "mine.toml")
    assert (CpuWorkload(kind="cpu", threads=2),) == scenario.domains[0].workload


def test_core_2_with_the_old_hypervisor_is_accepted():
    scenario = parse_scenario('[host]\ncpu = "core_2"\nhypervisor = "3.0.3"\n', "mine.toml")
    assert scenario.host.cpu == "core_2"


def test_cpus_pins_all_vcpus_alike_or_each_by_itself():
    text = (
        '[domain0]\nvcpus = 2\ncpus = ["0", ""]\n'
        '[[domain]]\nname = "a"\nvcpus = 2\ncpus = "1-2"\n[[domain]]\nname = "b"\n'
    )
    scenario = parse_scenario(text, "mine.toml")

    assert [(None, ((0,), None)), ((1, 2), ()), (None, ())] == [
        (owner.affinity, owner.vcpu_affinities) for owner in (scenario.domain0, *scenario.domains)
    ]


def test_domain_0_without_a_size_gets_what_the_guests_leave():
    scenario = parse_scenario(GUEST + "memory_mib = 1000\n", "mine.toml")
    assert scenario.domain0_memory_mib == 4096 - 64 - 1000


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", None),
        ("sedf_slice_ms = 30", (100_000_000, 30_000_000, True, 0)),
        (
            "sedf_period_ms = 0.01\nsedf_slice_ms = 0.005\nsedf_extratime = false",
            (10_000, 5_000, False, 0),
        ),
        ("sedf_period_ms = 0\nsedf_weight = 2", (0, 0, True, 2)),
    ],
)
def test_sedf_keys_are_what_xm_would_set_on_top_of_a_new_guests_parameters(keys, expected):
    (guest,) = parse_scenario(GUEST + keys, "mine.toml").domains
    if expected is not None:
        period_ns, slice_ns, extratime, weight = expected
        expected = SedfParameters(period_ns, slice_ns, 0, extratime=extratime, weight=weight)
    assert expected == guest.sedf


def test_sedf_keys_of_domain_0_are_on_top_of_its_own_parameters():
    scenario = parse_scenario("[domain0]\nsedf_extratime = false", "mine.toml")
    assert scenario.domain0.sedf == SedfParameters(
        20_000_000, 15_000_000, 0, extratime=False, weight=0
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[host]\ncpu = "p4ht"',
            "host.cpu: 'p4ht' is not allowed; use 'p4', 'p4-ht', 'core_2' or 'hammer' "
            "(did you mean 'p4-ht'?)",
        ),
        (
            '[host]\nscheduler = "bvt"',
            "host.scheduler: 'bvt' is not allowed; use 'credit' or 'sedf'",
        ),
        (
            GUEST + "sedf_period_ms = 5\nsedf_slice_ms = 6",
            "domain[web]: sedf needs a sedf_period_ms of 0.01 to 10000 and a sedf_slice_ms of "
            "0.005 up to the period, or a sedf_weight",
        ),
        (
            GUEST + "sedf_weight = 32768",
            "domain[web].sedf_weight: 32768 must be less than or equal to 32767",
        ),
        ('[host]\nmhz = "3200"', "host.mhz: '3200' must be a valid integer"),
        ("[host]\nmhz = 3", "host.mhz: 3 must be greater than or equal to 100"),
        ("[host]\nsockets = 17", "host: 34 pcpus; this Xen knows 32 at most"),
        ("[[domain]]\nvcpus = 1", "domain[0].name: missing"),
        (GUEST + "vcpus = 0", "domain[web].vcpus: 0 must be greater than or equal to 1"),
        (GUEST + "cap = 101", "domain[web]: cap 101 is out of range; 0 to 100"),
        (GUEST + 'disk = ["sda"]', "domain[web].disk: Invalid disk specifier: sda; write "
            "TYPE:PATH,DEVICE,MODE, as in phy:/dev/sdb1,xvda,w"),
        (GUEST + 'disk = "sda"', "domain[web].disk: 'sda' must be a valid list"),
        (GUEST + 'vif = ["x=1"]', "domain[web].vif: Invalid vif option: x; use type, mac, "
            "bridge, ip, script, backend, vifname, rate, model"),
        (
            GUEST + 'cpus = "x"',
            "domain[web].cpus: 'x' is not a list of CPUs; write N, A-B or ^N, joined by commas",
        ),
        (GUEST + 'cpus = "1,^1"', "domain[web].cpus: '1,^1' leaves no CPU"),
        (GUEST + 'cpus = "4"', "cpus '4' goes past the last of 4 pcpus"),
        (
            GUEST + "cpus = 1",
            "domain[web].cpus: must be a string, or a list of strings with one for each vcpu",
        ),
        (
            GUEST + 'vcpus = 2\ncpus = ["0", 1]',
            "domain[web].cpus: must be a string, or a list of strings with one for each vcpu",
        ),
        (
            GUEST + 'vcpus = 2\ncpus = ["0", "x"]',
            "domain[web].cpus: 'x' is not a list of CPUs; write N, A-B or ^N, joined by commas",
        ),
        (
            GUEST + 'vcpus = 2\ncpus = ["0", "1,^1"]',
            "domain[web].cpus: '1,^1' leaves no CPU",
        ),
        (
            GUEST + 'vcpus = 2\ncpus = ["0", "3-4"]',
            "cpus '3-4' goes past the last of 4 pcpus",
        ),
        (
            GUEST + 'vcpus = 2\ncpus = ["0"]',
            "domain[web]: cpus needs one entry for each vcpu: 2, not 1",
        ),
        (GUEST + "cpus = []", "domain[web]: cpus needs one entry for each vcpu: 1, not 0"),
        (
            '[domain0]\ncpus = ["0", "1"]',
            "domain0.cpus needs one entry for each vcpu: 4, not 2",
        ),
        (GUEST + GUEST, "two domains are called 'web'"),
        (
            WORK + 'kind = "brust"',
            "domain[web].workload[0].kind: 'brust' is not allowed; use 'cpu', 'burst', "
            "'netperf', 'fileio', 'linpack', 'aim7', 'iozone', 'lmbench', 'build', 'oltp', 'java', 'web', 'idle' (did you mean 'burst'?)",
        ),
        (WORK + "threads = 1", "domain[web].workload[0].kind: missing"),
        (
            WORK + 'kind = "cpu"\nthread = 2',
            "domain[web].workload[0]: unknown key 'thread' (did you mean 'threads'?); "
            "allowed: kind, threads, cycles_per_unit, program, memory_mib",
        ),
        (WORK + 'kind = "burst"\nrun_ms = 1', "domain[web].workload[0].sleep_ms: missing"),
        (WORK + 'kind = "netperf"', "domain[web]: a netperf workload needs a vif"),
        (WORK + 'kind = "fileio"', "domain[web]: a fileio workload needs a disk"),
        (
            GUEST + 'vif = [""]\n[[domain.workload]]\nkind = "netperf"\n'
            'direction = "to"\npeer = "wbe"',
            "domain[web]: netperf peer 'wbe' is no domain; use Domain-0",
        ),
        (
            GUEST + 'vif = [""]\n[[domain.workload]]\nkind = "netperf"\n'
            'direction = "to"\npeer = "web"',
            "domain[web]: netperf peer 'web' is the domain itself; use Domain-0",
        ),
        (
            GUEST + 'vif = ["rate=-1Mb/s"]',
            "domain[web].vif: Invalid vif rate: -1Mb/s; write one such as 10Mb/s or 1MB/s@20ms",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_key_and_what_is_allowed(text, message):
    assert f"mine.toml: {message}" == refusal(text)


@pytest.mark.parametrize("text", ["a = [", "a = " + "[" * 5000, "\0"])
def test_what_is_not_toml_is_refused_with_its_file(text):
    assert refusal(text).startswith("mine.toml: not TOML: ")


def test_more_memory_than_the_host_has_is_refused():
    assert "host.memory_mib = 4096 is too little" in refusal(GUEST + "memory_mib = 4096")


def test_emulated_devices_of_a_paravirtualized_guest_are_refused():
    assert 'use kind = "hvm"' in refusal(GUEST + 'drivers = "emulated"')


def test_an_unknown_scenario_gets_the_list_of_those_there_are():
    with pytest.raises(ScenarioError) as refused:
        load_scenario("grumbel")
    assert (
        "no scenario 'grumbel' (did you mean 'grumble'?); "
        f"built in: {', '.join(scenario_names())}; or give the path of a .toml file"
    ) == str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "none.toml"
    with pytest.raises(ScenarioError) as refused:
        load_scenario(str(path))
    assert f"{path}: cannot be read: No such file or directory" == str(refused.value)


def test_workloads_given_as_tables_are_checked_like_those_of_a_file():
    with pytest.raises(ScenarioError, match=r"workload: \[0\]\.kind: 'x' is not allowed"):
        parse_workloads([{"kind": "x"}])


@pytest.mark.parametrize("text", ["seed = " + "9" * 5000, "a = " + "[" * 5000])
def test_numbers_of_thousands_of_digits_and_deep_nesting_are_no_toml_for_us(text):
    assert refusal(text).startswith("mine.toml: not TOML: ")
