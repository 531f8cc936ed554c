"""Samples are counted by image and function for metrics, and agree with the sample files."""

from collections import Counter

import pytest

from hypervisor.elf import ElfSymbol, write_elf
from hypervisor.telemetry import Mode
from tests.support.daemon import CYCLES, LIBC_PC, RETIRED, WITH_XEN, Daemon
from tests.support.fake_host import (
    HYPERVISOR,
    KERNEL,
    KERNEL_START,
    LIBC,
    MODULES,
    USER,
    VMLINUX,
    XEN,
    XEN_START,
    samples,
)
from xenprof.oprofiled.symboltally import NO_SYMBOL

ROWS = [
    (USER, LIBC_PC),
    (USER, LIBC_PC + 8),
    (KERNEL, KERNEL_START + 0x40),
    (KERNEL, MODULES[1].start + 5),
    (HYPERVISOR, XEN_START + 7),
]


def counting(tmp_path, *, with_symbols=False, **config):
    daemon = Daemon(tmp_path, **{**WITH_XEN, **config})
    daemon.oprofiled.count_places(with_symbols=with_symbols)
    return daemon


def images(daemon):
    told = daemon.oprofiled.told()
    return {} if told is None else dict(told.images)


def test_samples_are_told_by_mode_image_and_event(tmp_path):
    daemon = counting(tmp_path)
    daemon.oprofiled.take(samples(*ROWS))
    assert {
        (0, Mode.USER, LIBC, CYCLES.name): 2,
        (0, Mode.KERNEL, VMLINUX, CYCLES.name): 1,
        (0, Mode.KERNEL, "netbk", CYCLES.name): 1,
        (0, Mode.HYPERVISOR, XEN, CYCLES.name): 1,
    } == images(daemon)


def test_each_sample_is_told_once(tmp_path):
    daemon = counting(tmp_path)
    daemon.oprofiled.take(samples(*ROWS))
    images(daemon)
    daemon.oprofiled.take(samples((USER, LIBC_PC)))
    assert {(0, Mode.USER, LIBC, CYCLES.name): 1} == images(daemon)


def test_nothing_is_told_when_nothing_has_come(tmp_path):
    assert None is counting(tmp_path).oprofiled.told()


def test_nothing_is_told_if_nobody_has_asked(tmp_path):
    daemon = Daemon(tmp_path)
    daemon.oprofiled.take(samples(*ROWS))
    assert None is daemon.oprofiled.told()


@pytest.mark.parametrize("separate", [(), ("library",), ("library", "kernel", "thread", "cpu")])
def test_what_is_told_of_an_image_is_in_its_files(tmp_path, separate):
    daemon = counting(tmp_path, separate=frozenset(separate))
    for event in (0, 3):
        daemon.oprofiled.take(samples(*ROWS, *ROWS[:2], event=event))
    told: Counter[tuple[str, str]] = Counter()
    for (_, _, image, event), count in images(daemon).items():
        told[image, event] += count
    daemon.oprofiled.flush()
    stored: Counter[tuple[str, str]] = Counter()
    for file in daemon.files():
        stored[file.key.image.path, file.key.event] += file.total
    assert stored == told


def test_events_are_told_apart(tmp_path):
    daemon = counting(tmp_path)
    daemon.oprofiled.take(samples((USER, LIBC_PC), event=3))
    assert {(0, Mode.USER, LIBC, RETIRED.name): 1} == images(daemon)


def test_lost_samples_are_not_told(tmp_path):
    daemon = counting(tmp_path)
    daemon.oprofiled.take(
        samples(
            (USER, 0x10),
            (
                USER,
                LIBC_PC,
            ),
            event=0,
        )
    )
    assert 1 == sum(images(daemon).values())


def test_samples_of_a_passive_domain_are_its_own(tmp_path):
    daemon = counting(tmp_path, passive={5: (KERNEL_START, KERNEL_START + 0x1000)})
    daemon.oprofiled.take(samples((KERNEL, KERNEL_START + 8), (USER, 0x400000), domain=5))
    assert {
        (5, Mode.KERNEL, "domain5-kernel", CYCLES.name): 1,
        (5, Mode.USER, "domain5-apps", CYCLES.name): 1,
    } == images(daemon)


@pytest.fixture
def symbolised(tmp_path):
    """Return a daemon that counts functions, with symbols for its kernel alone."""
    path = tmp_path / VMLINUX.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    functions = [
        ElfSymbol("first", KERNEL_START, 0x40),
        ElfSymbol("second", KERNEL_START + 0x40, 0x40),
    ]
    path.write_bytes(write_elf(functions, text_address=KERNEL_START, text_size=0x80))
    return counting(tmp_path, with_symbols=True)


def symbols(daemon):
    told = daemon.oprofiled.told()
    return dict(told.symbols)


def test_samples_are_told_by_function(symbolised):
    pcs = (KERNEL_START, KERNEL_START + 0x3F, KERNEL_START + 0x40)
    symbolised.oprofiled.take(samples(*((KERNEL, pc) for pc in pcs)))
    assert {
        (0, VMLINUX, "first", CYCLES.name): 2,
        (0, VMLINUX, "second", CYCLES.name): 1,
    } == symbols(symbolised)


def test_an_image_without_a_file_has_no_functions(symbolised):
    symbolised.oprofiled.take(samples((USER, LIBC_PC)))
    assert {(0, LIBC, NO_SYMBOL, CYCLES.name): 1} == symbols(symbolised)


def test_without_the_wish_no_function_is_told(tmp_path):
    daemon = counting(tmp_path)
    daemon.oprofiled.take(samples(*ROWS))
    assert {} == symbols(daemon)
