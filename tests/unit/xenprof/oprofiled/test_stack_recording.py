"""A daemon that records stacks: arcs by oprofile's rules, and full stacks."""

import pytest
from hypothesis import given, settings

from hypervisor.elf import ElfSymbol, write_elf
from tests.support.daemon import CYCLES, LIBC_PC, RETIRED
from tests.support.fake_host import (
    HTTPD,
    HYPERVISOR,
    KERNEL,
    KERNEL_START,
    LIBC,
    USER,
    VMLINUX,
    XEN,
    XEN_START,
)
from tests.support.stack_daemon import STACKS, Recording, row, rows
from xenprof.oprofiled.stacks import CUT
from xenprof.profile.stacks import Layer
from xenprof.store import stackfile


@pytest.fixture
def daemon(tmp_path):
    return Recording(tmp_path)


# -- Arcs


def test_a_sample_without_callers_has_no_arc(daemon):
    daemon.store(row(1))
    assert {} == daemon.arcs()


def test_each_pair_of_neighbours_is_an_arc(daemon):
    daemon.store(row(5), row(5))
    assert {
        ("netbk", VMLINUX): {(0x40, 0x60): 2},
        (VMLINUX, "netbk"): {(0x20, 0x40): 2},
    } == daemon.arcs()


def test_the_arc_to_the_sample_has_its_own_pc(daemon):
    daemon.store(row(5, pc=KERNEL_START + 0x61), row(5, pc=KERNEL_START + 0x65))
    assert {(0x40, 0x61): 1, (0x40, 0x65): 1} == daemon.arcs()["netbk", VMLINUX]


@pytest.mark.parametrize("length", [3, 6])
def test_arcs_do_not_cross_from_mode_to_mode(daemon, length):
    """A kernel is entered from a program, and Xen from a kernel: the original's walk ends there."""
    daemon.store(row(length))
    assert {} == daemon.arcs()


def test_user_arcs_use_the_mappings_of_the_task(daemon):
    daemon.store(row(2))
    assert {(HTTPD, LIBC): {(0x100, 0x1234): 1}} == daemon.arcs()


def test_frames_of_other_domains_have_no_arcs(daemon):
    daemon.store(row(10))
    assert {("netbk", VMLINUX): {(0x40, 0x60): 1}} == daemon.arcs()


def test_samples_of_passive_domains_have_no_arcs(tmp_path):
    daemon = Recording(tmp_path, passive={3: None})
    daemon.store(row(12, domain=3))
    assert {} == daemon.arcs()
    assert {(("web", VMLINUX, ""),): [1]} == daemon.stacks()


def test_a_caller_in_no_image_has_no_arc(daemon):
    daemon.store(row(2, tgid=200))  # linpack maps neither; the sample itself is lost
    assert {} == daemon.arcs()
    assert 1 == daemon.balance().lost["no_mapping"]


def test_headers_tell_of_caller_and_callee(daemon):
    daemon.store(row(5))
    heads = {
        (file.key.image.path, file.key.callee.path): file.header
        for file in daemon.files()
        if file.key.callee is not None
    }
    assert heads["netbk", VMLINUX].is_kernel
    assert heads["netbk", VMLINUX].callee_is_kernel
    assert (CYCLES.count, CYCLES.unit_mask) == (
        heads["netbk", VMLINUX].count,
        heads["netbk", VMLINUX].unit_mask,
    )


def test_user_arcs_are_headed_as_users(daemon):
    daemon.store(row(2))
    (head,) = [file.header for file in daemon.files() if file.key.callee is not None]
    assert not head.is_kernel
    assert not head.callee_is_kernel


def test_arcs_are_kept_apart_by_task_cpu_and_event(tmp_path):
    daemon = Recording(tmp_path, separate=frozenset({"thread", "cpu"}))
    daemon.store(row(5, vcpu=1), row(5, vcpu=2), row(5, vcpu=1, event=3), row(5, vcpu=1, tid=101))
    specs = {
        (file.key.event, file.key.tgid, file.key.tid, file.key.cpu)
        for file in daemon.files()
        if file.key.callee is not None
    }
    expected = {(CYCLES.name, 100, 100, 1), (CYCLES.name, 100, 100, 2), (RETIRED.name, 100, 100, 1),
                (CYCLES.name, 100, 101, 1)}  # fmt: skip
    assert expected == specs


def test_with_kernel_separation_arcs_lie_under_the_program(tmp_path):
    daemon = Recording(tmp_path, separate=frozenset({"library", "kernel"}))
    daemon.store(row(5))
    assert {HTTPD} == {file.key.app.path for file in daemon.files()}


def test_arcs_of_images_that_are_not_wanted_are_left_out(tmp_path):
    daemon = Recording(tmp_path, image_filter=(VMLINUX,))
    daemon.store(row(5))
    assert {(VMLINUX, "netbk"): {(0x20, 0x40): 1}} == daemon.arcs()


@given(rows)
@settings(max_examples=25, deadline=None)
def test_arcs_into_a_function_are_no_more_than_what_runs_in_and_below_it(tmp_path_factory, drawn):
    """Each stack has exactly one arc for each caller in the sample's own mode."""
    daemon = Recording(tmp_path_factory.mktemp("root"))
    expected = 0
    for length, _, _ in drawn:
        frames = STACKS[length].frames
        last = frames[-1]
        callers = 0
        while callers + 1 < len(frames) and (
            (frames[-2 - callers].mode, frames[-2 - callers].domain) == (last.mode, last.domain)
        ):
            callers += 1
        expected += callers
    daemon.store(*[
        row(length, pc=STACKS[length].frames[-1].pc + shift, event=event)
        for length, shift, event in drawn
    ])  # fmt: skip
    arcs = [sum(counts.values()) for counts in daemon.arcs().values()]
    assert expected == sum(arcs)


# -- Full stacks


def test_stacks_are_counted_by_event_across_modes(daemon):
    daemon.store(row(6), row(6), row(6, event=3), row(1))
    stacks = daemon.stacks()
    assert [2, 1] == next(counts for stack, counts in stacks.items() if len(stack) == 6)
    assert [1, 0] == next(counts for stack, counts in stacks.items() if len(stack) == 1)


def test_images_are_named_as_sample_files_name_them(daemon):
    daemon.store(row(6))
    (stack,) = daemon.stacks()
    assert [HTTPD, LIBC, VMLINUX, "netbk", VMLINUX, XEN] == [image for _, image, _ in stack]


def test_layers_follow_modes(daemon):
    daemon.store(row(6))
    profile = stackfile.read_stacks(daemon.writer.session)
    assert profile is not None
    (stack,) = profile.stacks
    expected = [Layer.USER] * 2 + [Layer.KERNEL] * 3 + [Layer.HYPERVISOR]
    assert expected == [profile.frames[step].layer for step in stack]


def test_a_joined_stack_names_both_domains(daemon):
    daemon.store(row(10))
    (stack,) = daemon.stacks()
    assert ["web", "Domain-0", "Domain-0"] == [domain for domain, _, _ in stack]


def test_functions_are_named_from_the_images_of_the_domain(tmp_path):
    path = tmp_path / VMLINUX.lstrip("/")
    path.parent.mkdir(parents=True)
    path.write_bytes(
        write_elf(
            [ElfSymbol("sys_write", KERNEL_START, 0x30), ElfSymbol("do_it", KERNEL_START + 0x30, 99)],
            text_address=KERNEL_START, text_size=0x100, text_offset=0x1000,
        )
    )  # fmt: skip
    daemon = Recording(tmp_path)
    daemon.store(row(5))
    (stack,) = daemon.stacks()
    assert ["", "", "sys_write", "", "do_it"] == [symbol for _, _, symbol in stack]


def test_a_stack_that_was_cut_says_so(daemon):
    daemon.store(row(11))
    (stack,) = daemon.stacks()
    assert CUT == stack[0][2]


def test_samples_without_a_stack_are_stacks_of_one_frame(daemon):
    daemon.store((KERNEL, KERNEL_START + 5), (USER, LIBC_PC), (HYPERVISOR, XEN_START))
    found = {stack[0][1] for stack in daemon.stacks()}
    assert {VMLINUX, LIBC, XEN} == found
    assert {1} == {len(stack) for stack in daemon.stacks()}


def test_the_time_of_the_recording_is_told(daemon):
    daemon.oprofiled.recorder.until_unix_ns = 1700
    daemon.store(row(1))
    profile = stackfile.read_stacks(daemon.writer.session)
    assert profile is not None
    assert (1000, 700) == (profile.start_unix_ns, profile.duration_ns)
