"""Attribution and storing of samples by mode, pc and task."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.host import Mapped, Task
from tests.support.daemon import LIBC_PC, OWN_KERNEL, WITH_XEN, Daemon
from tests.support.fake_host import (
    HTTPD,
    HYPERVISOR,
    KERNEL,
    KERNEL_END,
    KERNEL_START,
    LIBC,
    MODULES,
    USER,
    VMLINUX,
    XEN,
    XEN_END,
    XEN_START,
)
from xenprof.errors import StoreFull
from xenprof.oprofiled import TextRange
from xenprof.store import placing
from xenprof.store.samplefile import merge, merged, read


def place_of(tmp_path, row, **config):
    """Return (app, image, offset) of the only file with the only sample."""
    daemon = Daemon(tmp_path, **config)
    daemon.store(row)
    (((app, image), histogram),) = daemon.stored().items()
    ((offset, _),) = histogram.items()
    return app, image, offset


def test_user_sample_is_keyed_by_its_file_offset(tmp_path):
    row = {"mode": USER, "pc": 0x401234, "tgid": 200}
    assert place_of(tmp_path, row) == ("/usr/bin/linpack", "/usr/bin/linpack", 0x2234)


def test_without_separation_a_library_is_its_own_application(tmp_path):
    assert place_of(tmp_path, (USER, LIBC_PC)) == (LIBC, LIBC, 0x1234)


@pytest.mark.parametrize("separate", ["library", "kernel"])
def test_library_separation_files_a_library_under_the_program(tmp_path, separate):
    place = place_of(tmp_path, (USER, LIBC_PC), separate=frozenset({separate}))
    assert place == (HTTPD, LIBC, 0x1234)


def test_second_mapping_of_a_file_continues_its_offsets(tmp_path):
    assert place_of(tmp_path, (USER, 0x2B0000140010)) == (LIBC, LIBC, 0x140010)


def test_kernel_sample_is_keyed_from_the_start_of_text(tmp_path):
    place = place_of(tmp_path, (KERNEL, KERNEL_START + 0x42), **OWN_KERNEL)
    assert place == (VMLINUX, VMLINUX, 0x42)


def test_hypervisor_sample_goes_to_the_xen_image(tmp_path):
    place = place_of(tmp_path, (HYPERVISOR, XEN_START + 7), **WITH_XEN)
    assert place == (XEN, XEN, 7)


def test_module_sample_has_the_module_name_and_its_load_address_as_start(tmp_path):
    daemon = Daemon(tmp_path, **OWN_KERNEL)
    (file,) = daemon.store((KERNEL, MODULES[1].start + 5))
    assert (
        file.key.image.kind,
        file.key.image.path,
        file.offsets.tolist(),
    ) == ("kern", "netbk", [5])


def test_vmlinux_wins_where_a_module_overlaps_it(tmp_path):
    text = TextRange(VMLINUX, MODULES[0].start, MODULES[0].start + 0x1000)
    assert place_of(tmp_path, (KERNEL, MODULES[0].start), vmlinux=text)[1] == VMLINUX


def test_kernel_separation_files_kernel_and_xen_under_the_program(tmp_path):
    daemon = Daemon(tmp_path, separate=frozenset({"kernel"}), **WITH_XEN)
    daemon.store((KERNEL, KERNEL_START), (HYPERVISOR, XEN_START))
    assert set(daemon.stored()) == {(HTTPD, VMLINUX), (HTTPD, XEN)}


def test_kernel_separation_leaves_kernel_threads_with_the_kernel(tmp_path):
    row = {"mode": KERNEL, "pc": KERNEL_START, "tgid": 0}
    place = place_of(tmp_path, row, separate=frozenset({"kernel"}), **OWN_KERNEL)
    assert place == (VMLINUX, VMLINUX, 0)


@pytest.mark.parametrize("pc", [KERNEL_END, KERNEL_START - 1, XEN_END])
def test_range_ends_are_exclusive(tmp_path, pc):
    daemon = Daemon(tmp_path, **WITH_XEN)
    daemon.store((KERNEL, pc))
    assert daemon.lost == {"no_kernel_image": 1}


@pytest.mark.parametrize("mode", [KERNEL, HYPERVISOR])
def test_no_vmlinux_takes_every_kernel_and_hypervisor_sample_by_pc(tmp_path, mode):
    xen = TextRange(XEN, XEN_START, XEN_END)
    place = place_of(tmp_path, (mode, XEN_START + 1), xen=xen)
    assert place == ("no-vmlinux", "no-vmlinux", XEN_START + 1)


def test_anonymous_memory_goes_under_its_program_with_range_and_start(tmp_path):
    daemon = Daemon(tmp_path)
    (file,) = daemon.store((USER, 0x600010))
    image = file.key.image
    assert (
        file.key.app.path, image.kind, image.path, image.tgid, image.start, image.end,
        file.offsets.tolist(), file.header.anon_start,
    ) == (HTTPD, "anon", "[heap]", 100, 0x600000, 0x700000, [0x10], 0x600000)  # fmt: skip


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"mode": USER, "pc": 0x10}, "no_mapping"),
        ({"mode": USER, "pc": 1 << 63}, "no_mapping"),
        ({"mode": USER, "pc": 0x400000, "tgid": 999}, "no_mm"),
        ({"mode": USER, "pc": 0x400000, "event": 1}, "unknown_event"),
    ],
)
def test_sample_without_a_place_is_lost_for_a_reason(tmp_path, row, reason):
    daemon = Daemon(tmp_path)
    daemon.store(row)
    assert daemon.lost == {reason: 1}


def test_image_filter_keeps_the_listed_images_and_their_libraries(tmp_path):
    daemon = Daemon(tmp_path, image_filter=(HTTPD,), separate=frozenset({"library"}), **OWN_KERNEL)
    daemon.store((USER, 0x400000), (USER, LIBC_PC), (KERNEL, KERNEL_START))
    assert (set(daemon.stored()), daemon.lost) == (
        {(HTTPD, HTTPD), (HTTPD, LIBC)},
        {"filtered": 1},
    )


def test_task_that_maps_another_file_later_is_seen(tmp_path):
    daemon = Daemon(tmp_path)
    daemon.store((USER, 0x400000))
    daemon.tasks[100] = Task(100, "/bin/ls", (Mapped(0x400000, 0x500000, 0, "/bin/ls"),))
    daemon.store((USER, 0x400000))
    assert set(daemon.stored()) == {(HTTPD, HTTPD), ("/bin/ls", "/bin/ls")}


def test_thread_and_cpu_separation_take_the_task_and_the_virtual_cpu(tmp_path):
    daemon = Daemon(tmp_path, separate=frozenset({"thread", "cpu"}))
    (file,) = daemon.store(
        {"mode": USER, "pc": 0x400000, "tgid": 100, "tid": 101, "vcpu": 1, "pcpu": 3}
    )
    assert (file.key.tgid, file.key.tid, file.key.cpu) == (100, 101, 1)


def test_without_separation_task_and_cpu_are_all(tmp_path):
    (file,) = Daemon(tmp_path).store((USER, 0x400000), vcpu=1)
    assert (file.key.tgid, file.key.tid, file.key.cpu) == (None, None, None)


def test_events_get_files_of_their_own(tmp_path):
    files = Daemon(tmp_path).store(
        {"mode": USER, "pc": 0x400000, "event": 0}, {"mode": USER, "pc": 0x400000, "event": 3}
    )
    assert {(f.key.event, f.key.count, f.header.event_number) for f in files} == {
        ("GLOBAL_POWER_EVENTS", 100000, 0x1D),
        ("INSTR_RETIRED", 200000, 0x23),
    }


@pytest.mark.parametrize(
    ("row", "image", "offset"),
    [
        ((KERNEL, KERNEL_START + 4), "domain2-kernel", 4),
        ((KERNEL, MODULES[0].start), "domain2-modules", MODULES[0].start),
        ((USER, 0x400000), "domain2-apps", 0x400000),
        ((HYPERVISOR, XEN_START + 8), "/usr/lib/debug/boot/domain2-xen", 8),
        ((HYPERVISOR, XEN_END), "domain2-xen-unknown", XEN_END),
    ],
)
def test_passive_sample_goes_to_an_image_named_after_its_domain(tmp_path, row, image, offset):
    daemon = Daemon(tmp_path, passive={2: (KERNEL_START, KERNEL_END)}, **WITH_XEN)
    (file,) = daemon.store(row, domain=2)
    assert (image, [offset], True) == (
        file.key.image.path,
        file.offsets.tolist(),
        file.header.is_kernel,
    )


def test_passive_kernel_of_unknown_range_is_kept_by_pc(tmp_path):
    daemon = Daemon(tmp_path, passive={2: None})
    daemon.store((KERNEL, KERNEL_START), domain=2)
    assert daemon.stored() == {("domain2-kernel", "domain2-kernel"): {KERNEL_START: 1}}


def test_passive_sample_has_no_task_and_the_physical_cpu(tmp_path):
    daemon = Daemon(tmp_path, separate=frozenset({"thread", "cpu"}), passive={2: None})
    (file,) = daemon.store((USER, 0x400000), domain=2, pcpu=3, vcpu=1)
    assert (file.key.tgid, file.key.tid, file.key.cpu) == (None, None, 3)


def test_header_has_the_mtime_of_the_image_in_the_domain(tmp_path):
    image = tmp_path / HTTPD.lstrip("/")
    image.parent.mkdir(parents=True)
    image.touch()
    os.utime(image, (1173952800.75, 1173952800.75))
    (file,) = Daemon(tmp_path).store((USER, 0x400000))
    assert file.header.mtime == 1173952800


def test_header_has_no_mtime_for_a_missing_image(tmp_path):
    (file,) = Daemon(tmp_path).store((USER, 0x400000))
    assert file.header.mtime == 0


def test_samples_add_up_over_flushes(tmp_path):
    daemon = Daemon(tmp_path)
    daemon.store((USER, 0x400001), (USER, 0x400001), (USER, 0x400002))
    daemon.store((USER, 0x400001))
    assert daemon.stored() == {(HTTPD, HTTPD): {1: 3, 2: 1}}


# -- failures of the disk


def failing(error, times):
    """Return a `merged` that raises `error` the first `times` times."""
    left = [times]

    def attempt(path, header, offsets, counts):
        if left[0]:
            left[0] -= 1
            raise error
        return merged(path, header, offsets, counts)

    return attempt


def test_full_disk_keeps_the_samples_for_the_next_flush(tmp_path, monkeypatch):
    daemon = Daemon(tmp_path)
    full = StoreFull("f", "f: No space left on device")
    monkeypatch.setattr(placing, "merged", failing(full, 1))
    daemon.store((USER, 0x400001))
    assert daemon.stored() == {}
    daemon.store((USER, 0x400001))
    assert (daemon.stored(), daemon.lost) == ({(HTTPD, HTTPD): {1: 2}}, {})


def test_full_disk_is_told_in_one_line(tmp_path, monkeypatch):
    daemon = Daemon(tmp_path)
    full = StoreFull("f", "f: No space left on device")
    monkeypatch.setattr(placing, "merged", failing(full, 2))
    daemon.store((USER, 0x400001), (USER, LIBC_PC))
    line = "f: No space left on device (and 1 more files): 2 samples kept for the next dump, 0 lost"
    assert (daemon.writer.outcome.problem, daemon.log) == (line, [line])


def test_beyond_the_bound_the_oldest_samples_are_lost(tmp_path, monkeypatch):
    full = StoreFull("f", "f: No space left on device")
    monkeypatch.setattr(placing, "merged", failing(full, 10))
    daemon = Daemon(tmp_path)
    daemon.writer._held_rows = 2
    daemon.store((USER, 0x400001), (USER, 0x400002))
    daemon.store((USER, LIBC_PC))
    assert (daemon.lost, daemon.writer.outcome.held) == ({"store_write_failed": 2}, 1)


def damaged(daemon):
    """Return the contents of the files of the session that were set aside."""
    folder = daemon.writer.session / "damaged"
    return [path.read_bytes() for path in sorted(folder.rglob("*.damaged-*"))]


@pytest.mark.parametrize("contents", [b"", b"garbage", b"DAE\n" + bytes(200)])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path, contents):
    daemon = Daemon(tmp_path)
    daemon.store((USER, 0x400001))
    (path,) = [path for path in daemon.writer.session.rglob("*.all") if path.is_file()]
    path.write_bytes(contents)
    daemon.store((USER, 0x400001), (USER, 0x400002))
    assert (daemon.stored(), damaged(daemon)) == ({(HTTPD, HTTPD): {1: 1, 2: 1}}, [contents])
    assert (daemon.lost, [True]) == ({}, [str(path) in line for line in daemon.log])


def test_what_32_bits_cannot_count_is_lost_for_that_reason(tmp_path):
    daemon = Daemon(tmp_path)
    daemon.store((USER, 0x400001))
    (path,) = [path for path in daemon.writer.session.rglob("*.all") if path.is_file()]
    header, offsets, _ = read(path)
    merge(path, header, offsets, [2**32 - 3])
    daemon.store((USER, 0x400001), (USER, 0x400001), (USER, 0x400001))
    assert (daemon.stored(), daemon.lost) == (
        {(HTTPD, HTTPD): {1: 2**32 - 1}},
        {"count_overflow": 2},
    )
    balance = daemon.oprofiled.balance()
    assert balance.taken == balance.stored + balance.in_memory + sum(balance.lost.values()) == 4


def test_discarded_samples_count_as_lost(tmp_path, monkeypatch):
    daemon = Daemon(tmp_path)
    monkeypatch.setattr(placing, "merged", failing(StoreFull("f", "full"), 1))
    daemon.store((USER, 0x400001))
    daemon.oprofiled.discard()
    assert daemon.lost == {"store_write_failed": 1}


def test_each_loss_is_reported_once(tmp_path):
    daemon = Daemon(tmp_path)
    daemon.store((USER, 0x10))
    first = dict(daemon.oprofiled.new_losses())
    daemon.store((USER, 0x400000))
    assert (first, dict(daemon.oprofiled.new_losses())) == ({"no_mapping": 1}, {})


# -- properties

ROWS = st.fixed_dictionaries(
    {
        "mode": st.sampled_from([USER, KERNEL, HYPERVISOR]),
        "pc": st.sampled_from(
            [0, 0x400000, 0x40FFFF, LIBC_PC, 0x600000, KERNEL_START, KERNEL_END, XEN_START]
        )
        | st.integers(0, 2**64 - 1),
        "domain": st.sampled_from([0, 0, 0, 2, 7]),
        "event": st.sampled_from([0, 3, 5]),
        "tgid": st.sampled_from([0, 100, 200, 999]),
        "tid": st.integers(0, 3),
        "vcpu": st.integers(0, 31),
        "pcpu": st.integers(0, 31),
    }
)
CONFIGS = st.fixed_dictionaries(
    {
        "separate": st.frozensets(st.sampled_from(["library", "kernel", "thread", "cpu"])),
        "image_filter": st.sampled_from([(), (HTTPD,), (VMLINUX, LIBC)]),
        "passive": st.sampled_from([{}, {2: None}, {2: (KERNEL_START, KERNEL_END)}]),
    },
    optional={
        "vmlinux": st.just(OWN_KERNEL["vmlinux"]),
        "xen": st.just(WITH_XEN["xen"]),
    },
)


@settings(max_examples=60, deadline=None)
@given(config=CONFIGS, batches=st.lists(st.lists(ROWS, max_size=30), max_size=3))
def test_every_sample_taken_is_on_disk_or_lost_for_a_reason(tmp_path_factory, config, batches):
    daemon = Daemon(tmp_path_factory.mktemp("root"), **config)
    for rows in batches:
        daemon.store(*rows)
    on_disk = sum(file.total for file in daemon.files())
    balance = daemon.oprofiled.balance()
    assert (sum(map(len, batches)), on_disk, 0) == (
        on_disk + sum(balance.lost.values()),
        balance.stored,
        balance.in_memory,
    )
