import pytest

from hypervisor.domainsettings import ManagedDomain
from tests.support.fake_hypervisor import Bench, refusal

TEXT = "kernel = '/boot/vmlinuz'\nmemory = 64\nname = 'web'\n"


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tools="3.1")
    bench.xend.set_domain0_root(str(tmp_path), dumps_crashed=False)
    bench.xend.managed.new(TEXT, "web")
    return bench


def suspended(bench):
    bench.result(bench.xend.managed.start("web"))
    operation = bench.xend.managed.suspend("web")
    bench.after(0.05)
    bench.shut_down(1, 2)
    bench.result(operation)


def test_a_new_configuration_is_listed_and_nothing_runs(bench):
    assert list(bench.xend.managed.inactive()) == [ManagedDomain("web", 64, 1)]
    assert bench.names() == {0: "Domain-0"}


def test_a_started_one_runs_and_is_no_longer_inactive(bench):
    assert bench.result(bench.xend.managed.start("web")) == 1
    assert list(bench.xend.managed.inactive()) == []


def test_a_started_one_keeps_its_uuid_from_start_to_start(bench):
    uuids = []
    for _ in range(2):
        domid = bench.result(bench.xend.managed.start("web"))
        uuids.append(bench.context.infos[domid].spec.uuid)
        bench.xend.domains.destroy("web")

    assert uuids[0] == uuids[1]


def test_one_can_be_started_paused(bench):
    bench.result(bench.xend.managed.start("web", paused=True))

    assert bench.fake.states[1].is_paused


def test_a_name_is_kept_once(bench):
    assert refusal(bench.xend.managed.new, TEXT, "web") == "VM name 'web' already in use"


def test_a_deleted_one_is_unknown(bench):
    bench.xend.managed.delete("web")

    assert refusal(bench.xend.managed.start, "web") == "Domain 'web' does not exist."


@pytest.mark.parametrize("verb", ["start", "delete", "resume"])
def test_a_running_one_can_be_neither_started_nor_deleted_nor_resumed(bench, verb):
    bench.result(bench.xend.managed.start("web"))

    assert refusal(getattr(bench.xend.managed, verb), "web") == "Domain 'web' is running"


def test_a_suspended_one_is_gone_and_comes_back(bench):
    suspended(bench)
    before = bench.names()

    assert bench.result(bench.xend.managed.resume("web")) == 2
    assert (before, bench.names()) == ({0: "Domain-0"}, {0: "Domain-0", 2: "web"})


def test_a_suspended_one_is_resumed_and_not_started(bench):
    suspended(bench)

    assert refusal(bench.xend.managed.start, "web") == "Domain 'web' is suspended; resume it"


def test_one_that_is_not_suspended_cannot_be_resumed(bench):
    assert refusal(bench.xend.managed.resume, "web") == "Domain 'web' is not suspended; start it"


def test_a_resumed_one_can_be_suspended_again(bench):
    suspended(bench)
    bench.result(bench.xend.managed.resume("web"))
    operation = bench.xend.managed.suspend("web")
    bench.shut_down(2, 2)
    bench.result(operation)

    assert bench.result(bench.xend.managed.resume("web")) == 3


def test_a_domain_that_is_not_managed_cannot_be_suspended(bench):
    bench.create({"name": "b", "kernel": "/k"})

    assert "is not managed" in refusal(bench.xend.managed.suspend, "b")


@pytest.mark.parametrize("verb", ["start", "resume", "delete"])
def test_tools_3_0_3_know_nothing_of_it(verb):
    assert "tools 3.1" in refusal(getattr(Bench().xend.managed, verb), "web")
