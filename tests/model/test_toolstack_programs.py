"""The code that the toolstack makes domains execute is in profiles under its own names."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hypervisor.control import Operation
from hypervisor.model.codebook.images import Image, Images
from hypervisor.model.linux.init import STOPPING_KILOCYCLES
from hypervisor.model.machine import Machine
from hypervisor.samples import SampleBatch
from hypervisor.telemetry import Mode
from hypervisor.toolstack.operations.hotplug import VIF_SCRIPT_MS
from tests.support.model.hosts import HOST, MS, SECOND, domain, make_host
from tests.support.model.profiling import begin, end, set_counter

PERIOD = 20_000
MHZ = HOST["mhz"]
GUEST_MIB = 128
PAGES = GUEST_MIB * 256
BASH, PYTHON, XENSTORED = "/bin/bash", "/usr/bin/python", "/usr/sbin/xenstored"
XC_SAVE, XC_RESTORE = "/usr/lib64/xen/bin/xc_save", "/usr/lib64/xen/bin/xc_restore"
IMAGES = Images().by_key
# How far samples may differ from the cycles: tasks begin and end between two overflows.
EDGES = 4


class Profiled:
    """A host whose domains are profiled while the toolstack does something."""

    def __init__(self) -> None:
        self.host = make_host(domain("a", memory_mib=GUEST_MIB))
        self.host.advance(SECOND)
        set_counter(self.host, count=PERIOD)
        for domid in ("0", "1"):  # nothing is lost between two synchronisations
            self.host.profiler.oprofile(domid).write("cpu_buffer_size", "131072")
        begin(self.host, (0, 1))

    def samples(self, do: Callable[[Machine], Operation]) -> SampleBatch:
        """Return domain 0's samples from before an operation until its end."""
        finish(self.host, do(self.host))
        return end(self.host)[0]

    def user_samples(self, batch: SampleBatch, program: str, domid: int = 0) -> SampleBatch:
        """Return the samples in the user code of a program."""
        tasks = self.host.hypercalls.residents[domid].guest.tasks
        tgids = [tgid for tgid, task in tasks.items() if task.program == program]
        chosen = np.isin(batch.tgid, tgids) & (batch.mode == Mode.USER)
        return SampleBatch(*(getattr(batch, name)[chosen] for name in SampleBatch.__slots__))

    def expected(self, path: str, units: int, mode: Mode = Mode.USER) -> float:
        """Return the samples that `units` of a path give in a mode."""
        code = self.host.code
        return code.paths[code.index[path]].by_mode[mode] * units / PERIOD


def finish(host: Machine, operation: Operation) -> None:
    assert host.advance_until(lambda: operation.is_done, 60 * SECOND)
    operation.result()


def inside(batch: SampleBatch, image: Image) -> int:
    mapped = image.mapped()
    return int(((batch.pc >= mapped.start) & (batch.pc < mapped.end)).sum())


def functions(batch: SampleBatch, image: Image) -> Counter[str]:
    """Return the samples by function of an image."""
    symbols = list(image.symbols.values())
    starts = np.array([symbol.address for symbol in symbols], np.uint64)
    pcs = batch.pc[(batch.pc >= starts[0]) & (batch.pc < starts[0] + np.uint64(image.size))]
    return Counter(symbols[n].name for n in np.searchsorted(starts, pcs, side="right") - 1)


def save_to(path: Path) -> Callable[[Machine], Operation]:
    return lambda host: host.toolstack.domains.save("a", str(path / "a.save"))


def test_a_save_runs_xc_save_for_what_each_page_costs(tmp_path):
    profiled = Profiled()
    batch = profiled.samples(save_to(tmp_path))
    found = len(profiled.user_samples(batch, XC_SAVE))
    assert found == pytest.approx(profiled.expected("save_page", PAGES), abs=EDGES)


@pytest.mark.parametrize(
    ("image", "function", "cycles"),
    [
        ("libxenguest", "xc_linux_save", 420 * 0.84),
        ("libxenctrl", "xc_map_foreign_batch", 160 * 0.5),
        ("libc", "write", 100 * 0.4),
    ],
)
def test_xc_saves_functions_have_the_shares_of_their_costs(tmp_path, image, function, cycles):
    profiled = Profiled()
    batch = profiled.user_samples(profiled.samples(save_to(tmp_path)), XC_SAVE)
    code = profiled.host.code
    share = cycles / code.paths[code.index["save_page"]].by_mode[Mode.USER]
    spread = (share * (1 - share) / len(batch)) ** 0.5
    assert functions(batch, IMAGES[image])[function] / len(batch) == pytest.approx(
        share, abs=4 * spread
    )


def test_saving_takes_the_time_of_its_pages_and_of_the_disk_that_turns_between_them(tmp_path):
    """Pages are copied 4 MiB at a time, and then written: by then the next sector has passed."""
    host = make_host(domain("a", memory_mib=GUEST_MIB))
    host.advance(SECOND)
    start_ns = host.now_ns
    finish(host, save_to(tmp_path)(host))
    cycles = host.code.cycles[host.code.index["save_page"]]
    cpu_ns = PAGES * cycles * 1000 / MHZ
    disk_ns = GUEST_MIB * 2**20 / 80e6 * 1e9  # at the outer edge
    poll_ns = 100 * MS  # by then the guest has suspended itself
    turned_ns = host.now_ns - start_ns - poll_ns - cpu_ns - disk_ns
    turns = GUEST_MIB / 4 + 2  # and two for the seeks at both ends
    assert 0 < turned_ns < turns * 6 * MS  # 10 000 a minute


def test_a_restore_runs_xc_restore_for_what_each_page_costs(tmp_path):
    profiled = Profiled()
    finish(profiled.host, save_to(tmp_path)(profiled.host))
    batch = profiled.samples(lambda host: host.toolstack.domains.restore(str(tmp_path / "a.save")))
    found = len(profiled.user_samples(batch, XC_RESTORE))
    assert found == pytest.approx(profiled.expected("restore_page", PAGES), abs=EDGES)


def test_a_restored_domain_has_no_kernel_built_for_it(tmp_path):
    profiled = Profiled()
    finish(profiled.host, save_to(tmp_path)(profiled.host))
    batch = profiled.samples(lambda host: host.toolstack.domains.restore(str(tmp_path / "a.save")))
    assert inside(batch, IMAGES["libz"]) == 0


def test_a_new_domains_builder_runs_inside_xend():
    profiled = Profiled()
    config = {"name": "b", "memory": 32, "kernel": "/boot/vmlinuz"}
    batch = profiled.samples(lambda host: host.toolstack.domains.create(config))
    found = inside(profiled.user_samples(batch, PYTHON), IMAGES["libz"])
    expected = 40 * MHZ * 1000 * 0.3 / PERIOD  # BUILD_MS; op.build_inflate is 300 of 1000
    assert found == pytest.approx(expected, rel=0.1)


def attach(host: Machine) -> Operation:
    return host.toolstack.devices.attach_network("a", "")


def test_a_hotplug_script_runs_in_a_shell():
    profiled = Profiled()
    batch = profiled.samples(attach)
    kilocycles = VIF_SCRIPT_MS * MHZ * 9 // 10
    found = len(profiled.user_samples(batch, BASH))
    assert found == pytest.approx(profiled.expected("hotplug_script", kilocycles), abs=EDGES)


def test_a_tenth_of_a_hotplug_script_is_xenstoreds():
    profiled = Profiled()
    batch = profiled.samples(attach)
    script_ends_ns = profiled.user_samples(batch, BASH).time_ns.max()
    found = (profiled.user_samples(batch, XENSTORED).time_ns > script_ends_ns).sum()
    kilocycles = VIF_SCRIPT_MS * MHZ // 10
    expected = profiled.expected("background_xenstored", kilocycles)
    assert found == pytest.approx(expected, abs=EDGES)


def test_all_scripts_are_one_process_in_domain_0():
    profiled = Profiled()
    for _ in range(2):
        finish(profiled.host, attach(profiled.host))
    programs = Counter(
        task.program for task in profiled.host.hypercalls.residents[0].guest.tasks.values()
    )
    assert (programs[BASH], programs[XENSTORED]) == (1, 1)


class Over:
    def __init__(self) -> None:
        self.is_done = False

    def end(self) -> None:
        self.is_done = True

    def result(self) -> None:
        return None


def dump(host: Machine) -> Operation:
    over = Over()
    host.hypercalls.copy_memory(1, 1024, is_write=True, done=over.end, is_core=True)
    return over


def test_a_core_file_is_written_by_xend_itself():
    profiled = Profiled()
    batch = profiled.samples(dump)
    found = functions(profiled.user_samples(batch, PYTHON), IMAGES["libxenctrl"])
    expected = 256 * 4600 / PERIOD  # pages, op.dump_code
    assert found.total() == pytest.approx(expected, abs=EDGES)


@pytest.mark.parametrize("reason", ["poweroff", "reboot", "halt"])
def test_a_guest_that_ends_runs_its_init_scripts(reason):
    profiled = Profiled()
    profiled.host.toolstack.domains.shutdown("a", reason)
    profiled.host.advance(profiled.host.now_ns + SECOND)
    batch = end(profiled.host, (1,))[1]
    found = len(profiled.user_samples(batch, BASH, domid=1))
    expected = profiled.expected("init_scripts", STOPPING_KILOCYCLES)
    assert found == pytest.approx(expected, abs=EDGES)


def test_a_save_gives_the_same_samples_each_time(tmp_path):
    taken = []
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        batch = Profiled().samples(save_to(tmp_path / run))
        taken.append([getattr(batch, name).tobytes() for name in SampleBatch.__slots__])
    assert taken[0] == taken[1]
