"""What a passive profile of an HVM guest and the profile of domain 0 show, by load.

Xen's share of an access is 3000 to 5000 cycles besides the exit itself. The functions are those of Xen 3.0.3 (xen/arch/x86/hvm,
mm/shadow), of tools/ioemu and of a Linux 2.6.18 that does not know Xen.
"""

from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.images import Images
from hypervisor.model.codebook.parts import CYCLE_UNIT, parts_of
from hypervisor.samples import SampleBatch
from hypervisor.telemetry import Mode
from tests.support.model.exits import path_ns
from tests.support.model.hosts import (
    MS,
    SECOND,
    behalf_ns,
    domain,
    fileio,
    make_host,
    netperf,
)
from tests.support.model.profiling import begin, end, set_counter

NATIVE = "/usr/lib/debug/lib/modules/2.6.18-8.el5/vmlinux"
LOADS: dict[str, dict[str, Any]] = {
    "network": netperf("transmit"),
    "disk": fileio(op="read", pattern="random", block_bytes=4096, direct=True),
    "fork": {"kind": "lmbench", "test": "fork"},
}


@cache
def profile(load: str) -> tuple[SampleBatch, dict[str, Counter[str]]]:
    """Return domain 0's samples of half a second, and those of the guest by mode and function."""
    host = make_host(
        domain("a", LOADS[load], kind="hvm", cpus="1", memory_mib=256),
        domain0={"cpus": "0", "memory_mib": 512},
    )
    set_counter(host, count=50_000)
    host.profiler.oprofile("0").write("cpu_buffer_size", "100000")
    host.advance(500 * MS)
    begin(host, (0,), (1,))
    host.advance(SECOND)
    batch = end(host)[0]
    guest = batch.domain == 1
    found = {}
    for mode in (Mode.KERNEL, Mode.HYPERVISOR):
        pcs = batch.pc[guest & (batch.mode == mode)]
        found[mode.name] = Counter(names(pcs, "hvm" if mode == Mode.KERNEL else "dom0"))
    return batch, found


def names(pcs: Any, role: str) -> list[str]:
    """Return the function of each pc in the kernel, its modules or the hypervisor of a domain."""
    symbols = sorted(
        (symbol.address, symbol.name)
        for image in Images().by_key.values()
        if role in image.roles and image.mode != Mode.USER
        for symbol in image.symbols.values()
    )
    at = np.searchsorted(np.array([start for start, _ in symbols], np.uint64), pcs, side="right")
    return [symbols[index - 1][1] for index in at.tolist()]


def top(counts: Counter[str], n: int) -> set[str]:
    return {name for name, _ in counts.most_common(n)}


@pytest.mark.parametrize("load", LOADS)
def test_no_function_of_a_kernel_for_xen_is_in_the_guests_profile(load):
    kernel = profile(load)[1]["KERNEL"]
    assert sum(kernel.values()) > 20
    assert set() == set(kernel) & {"hypercall_page", "evtchn_do_upcall", "hypervisor_callback"}
    assert [] == [name for name in kernel if name.startswith("xen_")]


def test_interrupts_come_through_the_emulated_pic():
    kernel = profile("network")[1]["KERNEL"]
    assert {"common_interrupt", "mask_and_ack_8259A", "do_IRQ"} <= set(kernel)


@pytest.mark.parametrize("load", ["network", "disk"])
def test_accesses_to_devices_lead_the_hypervisors_part(load):
    xen = profile(load)[1]["HYPERVISOR"]
    assert {"vmx_asm_vmexit_handler", "vmx_vmexit_handler", "vmx_asm_do_vmentry"} <= top(xen, 5)
    assert {"send_pio_req", "hvm_io_assist", "vmx_io_instruction"} <= top(xen, 12)


def test_shadow_paging_leads_the_hypervisors_part_of_a_fork_load():
    xen = profile("fork")[1]["HYPERVISOR"]
    assert {"sh_page_fault__shadow_4_guest_4", "x86_emulate_memop"} <= top(xen, 5)
    assert {"shadow_validate_guest_entry", "sh_x86_emulate_write__shadow_4_guest_4"} <= top(xen, 8)


@pytest.mark.parametrize("load", LOADS)
def test_no_hypercall_is_in_the_guests_profile(load):
    xen = profile(load)[1]["HYPERVISOR"]
    assert set() == set(xen) & {"syscall_enter", "do_mmu_update", "create_bounce_frame", "do_iret"}


def test_domain_0s_samples_are_taken_on_behalf_of_the_guest():
    batch, _ = profile("network")
    of_dom0 = batch.domain == 0
    assert (batch.on_behalf_of[of_dom0] == 1).mean() > 0.9


def test_what_domain_0_does_for_the_guests_disk_is_charged_to_the_guest():
    host = make_host(
        domain("a", LOADS["disk"], kind="hvm", cpus="1", memory_mib=256),
        domain0={"cpus": "0", "memory_mib": 512},
    )
    host.advance(2 * SECOND)
    spent = path_ns(host, 0)
    caused = [name for name in spent if name.startswith(("qemu_", "disk_", "loop_", "elevator"))]
    assert behalf_ns(host)["a"] == pytest.approx(sum(spent[name] for name in caused), rel=0.1)
    assert spent["qemu_access"] > 0.5 * sum(spent.values())


def test_an_access_costs_xen_3000_to_5000_cycles_besides_the_exit():
    book = CodeBook("p4")
    path = book.costs.paths["hvm_device_access"]
    parts = parts_of(path, book.costs, book.costs.cpus["p4"], "x86_64")
    xen = sum(part.weight for part in parts if part.op != "hvm_exit") / CYCLE_UNIT
    assert 3000 <= xen <= 5000
