import pytest

from hypervisor.toolstack.config.sxp import to_text
from tests.support.fake_hypervisor import GUEST_WITH_DEVICES, Bench, refusal


@pytest.fixture
def bench():
    bench = Bench()
    bench.create(GUEST_WITH_DEVICES)
    return bench


def entries(bench, domain="web"):
    tag, *rest = bench.xend.views.sxp(domain)
    assert tag == "domain"
    return rest


def test_the_long_list_of_a_domain_has_what_3_0_3_prints(bench):
    names = [entry[0] for entry in entries(bench)]

    wanted = [
        "domid", "uuid", "vcpus", "cpu_weight", "memory", "shadow_memory", "maxmem", "features",
        "name", "on_poweroff", "on_reboot", "on_crash", "image", "device", "device", "device",
        "state", "shutdown_reason", "cpu_time", "online_vcpus", "up_time", "start_time",
        "store_mfn", "console_mfn",
    ]  # fmt: skip
    assert [name for name in names if name in wanted] == wanted


@pytest.mark.parametrize(
    "entry",
    [
        ["domid", "1"],
        ["name", "web"],
        ["memory", "128"],
        ["maxmem", "128"],
        ["vcpus", "2"],
        ["shutdown_reason", "poweroff"],
        ["state", "--p---"],
        ["online_vcpus", "2"],
    ],
)
def test_values_of_the_long_list(bench, entry):
    assert entry in entries(bench)


def test_the_long_list_shows_what_has_changed_since(bench):
    bench.xend.resources.set_memory("web", 100)
    bench.xend.domains.rename("web", "shop")
    bench.result(bench.xend.devices.attach_network("shop", "mac=00:16:3e:00:00:08"))
    now = entries(bench, "shop")

    assert ["memory", "100"] in now
    assert ["name", "shop"] in now
    assert sum("00:16:3e" in to_text(entry) for entry in now if entry[0] == "device") == 2


def test_the_long_list_of_a_crashed_domain_says_so(bench):
    bench.fake.change(1, shutdown_reason=3)

    assert ["shutdown_reason", "crash"] in entries(bench)


def test_uptime_is_the_time_since_it_was_created(bench):
    before = float(dict(e for e in entries(bench) if e[0] == "up_time")["up_time"])
    bench.after(5)
    after = float(dict(e for e in entries(bench) if e[0] == "up_time")["up_time"])

    assert after - before == pytest.approx(5)


def test_a_dry_run_creates_nothing(bench):
    described = bench.xend.domains.describe("kernel = '/k'\n", "/etc/xen/mail")

    assert ["name", "mail"] in described
    assert bench.names() == {0: "Domain-0", 1: "web"}


def test_the_store_is_shown_depth_first(bench):
    paths = [path for path, _ in bench.xend.views.xenstore()]

    assert paths.index("/local/domain/1") < paths.index("/local/domain/1/name")
    assert len(set(paths)) == len(paths)


def test_the_console_is_that_of_the_domain(bench):
    assert bench.xend.views.console("web") == "console of 1\n"


@pytest.mark.parametrize(
    "call",
    [
        lambda xend: xend.views.sxp("x"),
        lambda xend: xend.devices.rows("x", "vbd"),
        lambda xend: xend.views.console("x"),
    ],
)
def test_an_unknown_domain_is_named(bench, call):
    assert refusal(call, bench.xend) == "Domain 'x' does not exist."


def test_info_has_the_rows_of_3_0_3_in_order(bench):
    assert list(bench.xend.views.info()) == [
        "host", "release", "version", "machine", "nr_cpus", "nr_nodes", "sockets_per_node",
        "cores_per_socket", "threads_per_core", "cpu_mhz", "hw_caps", "total_memory",
        "free_memory", "xen_major", "xen_minor", "xen_extra", "xen_caps", "xen_pagesize",
        "platform_params", "xen_changeset", "cc_compiler", "cc_compile_by", "cc_compile_domain",
        "cc_compile_date", "xend_config_format",
    ]  # fmt: skip


def test_info_of_3_1_names_the_scheduler_after_the_capabilities():
    rows = list(Bench(tools="3.1").xend.views.info())
    assert rows.index("xen_caps") + 1 == rows.index("xen_scheduler")


def test_info_rounds_memory_down_to_mib(bench):
    info = bench.xend.views.info()
    assert (info["total_memory"], info["free_memory"]) == ("4095", "384")


def test_a_file_of_proc_is_the_domains_own(bench):
    assert bench.xend.views.proc("web", "stat") == "stat of 1\n"


def test_only_domain_0_has_the_examples_of_xend(bench):
    examples = [file.path for file in bench.xend.views.domain_files("0")]

    assert (len(examples) > 0, {path.rpartition("/")[0] for path in examples}) == (
        True,
        {"/etc/xen"},
    )
    assert bench.xend.views.domain_files("web") == ()
