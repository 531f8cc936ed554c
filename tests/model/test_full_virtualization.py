"""HVM guests: exits, shadow paging, qemu-dm, ticks and drivers that come later.

The bounds are those of the literature on processors of 2006, as judged before the model had any of
this: Xen 3.0.3's sources (xen/arch/x86/hvm, tools/ioemu), Agesen et al. 2010, Adams and Agesen 2006.
Those of whole programs (a web server, fork) are judgement: nobody has published them for 3.0.3.
"""

from typing import Any

import pytest

from hypervisor.errors import ScenarioError
from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.parts import CYCLE_UNIT, parts_of
from hypervisor.model.machine import Machine
from tests.support.model.exits import exits, path_ns, symbol_ns
from tests.support.model.hosts import (
    SECOND,
    behalf_ns,
    burst,
    cpu,
    cpu_percent,
    domain,
    fileio,
    interrupts,
    make_host,
    netperf,
    result,
    seen,
)

SEQUENTIAL = fileio(op="read", pattern="sequential", block_bytes=65536, direct=True)
RANDOM = fileio(op="read", pattern="random", block_bytes=4096, direct=True)


def ran(kind: str, *workloads: dict[str, Any], seconds: int = 2, **settings: Any) -> Machine:
    """Run a guest on a pcpu of its own, beside domain 0 on the other."""
    host = make_host(
        domain("a", *workloads, kind=kind, cpus="1", memory_mib=256, **settings),
        domain0={"cpus": "0", "memory_mib": 512},
    )
    host.advance(seconds * SECOND)
    return host


def work_seconds(host: Machine) -> float:
    return float(result(host, "a")["work_seconds"])


def test_code_that_only_computes_loses_a_little():
    pv, hvm = (work_seconds(ran(kind, cpu())) for kind in ("pv", "hvm"))
    # A thousand ticks, each with three accesses to the PIC and the guest's own handler.
    assert 0.975 * pv < hvm < 0.995 * pv


def test_a_web_server_loses_much_as_it_changes_its_page_tables():
    pv, hvm = (work_seconds(ran(kind, cpu(program="httpd"))) for kind in ("pv", "hvm"))
    assert 0.5 * pv < hvm < 0.85 * pv


def test_an_idle_guest_ticks_a_thousand_times_a_second_with_three_accesses_to_the_pic():
    host = ran("hvm", seconds=3)
    emulation = host.hypercalls.residents[1].devices.emulation
    assert emulation is not None
    assert emulation.ticks.delivered == pytest.approx(3000, abs=20)
    assert exits(host, 1, "hvm_pic") == pytest.approx(9000, rel=0.02)
    assert cpu_percent(host, "a") < 3


def test_ticks_are_caught_up_on_after_a_wait_for_a_pcpu():
    host = make_host(
        *(domain(name, cpu(), kind="hvm", cpus="1") for name in ("a", "b", "c")),
        domain0={"cpus": "0"},
    )
    host.advance(3 * SECOND)
    for domid in (1, 2, 3):
        emulation = host.hypercalls.residents[domid].devices.emulation
        assert emulation is not None
        assert emulation.ticks.delivered == pytest.approx(3000, abs=110)


def test_a_kernel_build_exits_30_to_80_thousand_times_a_second_half_of_them_for_faults():
    host = ran("hvm", {"kind": "build", "jobs": 2}, seconds=4)
    each_second = exits(host, 1) / 4
    faults = exits(host, 1, "shadow_fault", "shadow_fill", "shadow_write") / 4
    assert 30_000 <= each_second <= 80_000
    assert faults >= each_second / 2


def operation_seconds(kind: str, test: str) -> float:
    return float(result(ran(kind, {"kind": "lmbench", "test": test}), "a")["operation_seconds"])


def test_a_fork_takes_two_to_five_times_as_long():
    pv, hvm = (operation_seconds(kind, "fork") for kind in ("pv", "hvm"))
    assert 2 * pv <= hvm <= 5 * pv


def test_a_page_fault_costs_an_exit_and_a_write_to_a_shadowed_table_more():
    # Native 1.42 us at 2.4 GHz (Barham, table 3); 3000 to 5000 cycles for the exit that gives the
    # fault back, 10 000 to 20 000 for the write on a P4.
    native = 1.42 * 2400
    least, most = ((native + more) / 3200e6 for more in (13_000, 25_000))
    assert least <= operation_seconds("hvm", "page_fault") <= most


def test_a_system_call_does_not_exit():
    host = ran("hvm", {"kind": "lmbench", "test": "null_call"})
    assert exits(host, 1) / 2 < 7000
    assert float(result(host, "a")["operation_seconds"]) < 0.5e-6


def test_a_random_read_takes_a_fifth_to_two_fifths_of_a_millisecond_more():
    waits = [result(ran(kind, RANDOM, seconds=4), "a") for kind in ("pv", "hvm")]
    pv, hvm = (1 / (one["requests"] / 4) for one in waits)
    assert 0.0002 <= hvm - pv <= 0.0004


def test_reading_in_sequence_runs_near_the_disks_rate_for_a_fifth_to_two_fifths_of_a_cpu():
    pv, hvm = (ran(kind, SEQUENTIAL) for kind in ("pv", "hvm"))
    assert result(hvm, "a")["bytes"] >= 0.9 * result(pv, "a")["bytes"]
    assert 20 <= cpu_percent(hvm, "a") + cpu_percent(hvm, "Domain-0") <= 40


@pytest.mark.parametrize("direction", ["transmit", "receive"])
def test_an_emulated_card_moves_100_to_200_megabits(direction):
    host = ran("hvm", netperf(direction))
    assert 100e6 <= result(host, "a")["bits_per_second"] <= 200e6
    assert 50_000 <= exits(host, 1) / 2 <= 150_000
    assert cpu_percent(host, "Domain-0") > cpu_percent(host, "a")


@pytest.mark.parametrize("work", [SEQUENTIAL, RANDOM, netperf("transmit"), netperf("receive")])
def test_with_drivers_for_xen_devices_are_as_fast_as_in_a_paravirtualized_guest(work):
    done = [result(ran(kind, work, drivers="pv"), "a")["bytes"] for kind in ("pv", "hvm")]
    assert done[1] == pytest.approx(done[0], rel=0.03)


def test_drivers_that_are_loaded_later_speed_up_what_runs():
    host = ran("hvm", netperf("transmit"), seconds=1)
    before = int(result(host, "a")["bytes"])
    host.toolstack.views.write_sys("a", "bus/xen/drivers/vif/bind", "vif\n")
    host.advance(3 * SECOND)
    assert int(result(host, "a")["bytes"]) - before > 6 * before
    network = host.hypercalls.backends.network.netback
    assert network.pending_free <= 256


def test_packets_are_copied_to_drivers_of_an_hvm_guest():
    host = ran("hvm", netperf("receive"), drivers="pv")
    grants = host.hypercalls.residents[1].domain.grants
    assert grants.copied > 0
    assert 0 == grants.transferred


def test_domain_0_works_in_qemu_dm_on_behalf_of_the_guest():
    host = ran("hvm", netperf("transmit"))
    spent = symbol_ns(host, 0)
    qemu = sum(ns for (image, _), ns in spent.items() if image == "qemu-dm")
    assert qemu > 0.1 * sum(spent.values())
    assert behalf_ns(host)["a"] > 0.9 * sum(spent.values())


def test_the_hypervisor_spends_a_guests_time_on_exits_and_shadows():
    host = ran("hvm", {"kind": "build", "jobs": 2})
    xen = {name: ns for (image, name), ns in symbol_ns(host, 1).items() if image == "xen"}
    top = sorted(xen, key=lambda name: -xen[name])[:6]
    assert "sh_page_fault__shadow_4_guest_4" in top
    assert "vmx_asm_vmexit_handler" in top
    assert "syscall_enter" not in {name for name, ns in xen.items() if ns}


def test_a_vcpu_that_waits_for_qemu_dm_is_blocked():
    host = ran("hvm", RANDOM)
    vcpu = seen(host, "a").vcpus[0]
    assert 0 == (vcpu.offline_ns or 0)
    assert (vcpu.blocked_ns or 0) > SECOND


def test_a_destroyed_guest_takes_its_device_model_along():
    host = ran("hvm", netperf("transmit"))
    emulation = host.hypercalls.residents[1].devices.emulation
    assert emulation is not None
    host.toolstack.domains.destroy("a")
    host.advance(3 * SECOND)
    guest = host.hypercalls.residents[0].guest
    assert guest.table.is_ended(emulation.model.pid)
    assert "a" not in {one.name for one in host.telemetry.snapshot().domains}


def test_a_paravirtualized_guest_has_no_emulated_devices():
    with pytest.raises(ScenarioError, match="no emulated devices"):
        ran("pv", drivers="emulated")


def test_a_domain_0_that_waits_for_its_pcpu_holds_up_each_access():
    # Three turns of qemu-dm for a read, each behind a slice of 30 ms at most.
    host = make_host(
        domain("a", RANDOM, kind="hvm", cpus="1", memory_mib=256),
        domain("hog", cpu(), cpus="0"),
        domain0={"cpus": "0", "memory_mib": 512},
    )
    host.advance(3 * SECOND)
    assert 0.02 <= 3 / result(host, "a")["requests"] <= 0.12


@pytest.mark.parametrize(("cpu_type", "cycles"), [("p4", 3963), ("core_2", 1579)])
def test_an_exit_takes_what_was_measured(cpu_type, cycles):
    book = CodeBook(cpu_type)
    parts = parts_of(
        book.costs.paths["hvm_device_access"], book.costs, book.costs.cpus[cpu_type], "x86_64"
    )
    weight = next(part.weight for part in parts if part.op == "hvm_exit")
    assert cycles == pytest.approx(weight / CYCLE_UNIT, rel=0.01)


def cycles_with_exit(cpu_type: str, op: str) -> float:
    book = CodeBook(cpu_type)
    cpu = book.costs.cpus[cpu_type]
    return (
        sum(
            book.costs.ops[one].cycles_x86_64 * cpu.cycles_percent[book.costs.ops[one].work_class]
            for one in ("hvm_exit", op)
        )
        / 100
    )


@pytest.mark.parametrize(
    ("cpu_type", "least", "most"), [("p4", 10_000, 20_000), ("core_2", 6000, 12_000)]
)
def test_a_write_to_a_shadowed_table_takes_what_was_judged_for_the_processor(cpu_type, least, most):
    assert least <= cycles_with_exit(cpu_type, "shadow_write") <= most


@pytest.mark.parametrize(
    ("op", "least", "most"),
    [("shadow_fault", 3000, 5000), ("shadow_fill", 4000, 8000), ("hvm_pic", 2000, 4000)],
)
def test_what_was_judged_for_no_processor_is_the_mean_of_a_core_2_and_a_p4(op, least, most):
    # The exit itself, which was measured, takes 1579 cycles on the one and 3963 on the other. So
    # on a P4 300 to 2870 cycles are left for a fault, 1590 to 6740 to fill, up to 1580 at the PIC.
    assert least <= (cycles_with_exit("core_2", op) + cycles_with_exit("p4", op)) / 2 <= most


def test_vcpus_of_a_guest_wait_for_its_shadow_lock():
    done = []
    for vcpus in (1, 2):
        work = cpu(program="httpd", threads=vcpus)
        host = make_host(
            domain("a", work, kind="hvm", vcpus=vcpus), domain0={"vcpus": 1}, support_limits=False
        )
        host.advance(2 * SECOND)
        done.append(work_seconds(host) / vcpus)
    spun = path_ns(host, 1)["shadow_spin"]
    assert done[1] < done[0]
    assert 0.02 < spun / (2 * 2 * SECOND) < 0.3


@pytest.mark.parametrize("driver", ["emulated", "pv"])
def test_a_program_that_computes_is_not_kept_from_running_by_one_that_sends(driver):
    host = ran("hvm", netperf("transmit"), cpu(), seconds=6, drivers=driver)
    assert float(result(host, "a", 1)["work_seconds"]) > 0.1


def test_a_timer_brings_no_interrupt_beside_the_ticks():
    host = ran("hvm", burst(0.1, 1), seconds=1)
    spent = path_ns(host, 1)
    assert 0 == spent["hvm_evtchn_upcall"] < spent["hvm_tick"]


def interrupted(host: Machine, seconds: int) -> int:
    """Return what /proc/stat counts in some seconds."""
    before = interrupts(host, "a")
    host.advance(host.now_ns + seconds * SECOND)
    return interrupts(host, "a") - before


def test_the_guest_counts_ticks_and_interrupts_of_its_hardware():
    assert interrupted(ran("hvm", seconds=1), 2) == pytest.approx(2000, abs=20)
    host = ran("hvm", RANDOM, seconds=1)
    before = result(host, "a")["requests"]
    counted = interrupted(host, 2)
    done = result(host, "a")["requests"] - before
    assert counted == pytest.approx(2000 + done, abs=22)


def test_the_kernels_messages_are_those_of_a_native_one():
    console = ran("hvm", seconds=1).toolstack.views.console("a")
    assert console.startswith("Linux version 2.6.18-8.el5 (")
    assert "Xen" not in console
    assert "Kernel 2.6.18-8.el5 on an x86_64" in console
