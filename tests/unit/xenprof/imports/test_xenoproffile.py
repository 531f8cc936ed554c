"""`xenprof import xenoprof` of what an agent has sampled by the hypercall."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypervisor.live.agent.recording.xenoprof import HEAD
from tests.support.importing import by_symbol, imported, profile, refused, run
from xenprof.cli import opreport
from xenprof.imports.agentlines import Symbols
from xenprof.imports.errors import InputError
from xenprof.imports.xenoproffile import read
from xenprof.store.losses import session_losses

WEB = "1 00000000-0000-0000-0000-000000000001"
DOM0 = "0 00000000-0000-0000-0000-000000000000"
EVENT = "CPU_CLK_UNHALTED:26000000:0"
HEADER = f"""\
{HEAD}
cpu_type x86-64/hammer
event CPU_CLK_UNHALTED 26000000 0
unix_ns 1700000000000000000
duration_ns 1000000000
domain {DOM0} Domain-0
domain {WEB} web
"""
KALLSYMS = """\
ffffffff81000000 T _stext
ffffffff81000100 T schedule
ffffffff81000300 T _etext
"""
XENSYMS = """\
ffff82d040200000 T _stext
ffff82d040201940 T vcpu_wake
ffff82d040360783 T _etext
"""


@pytest.fixture
def put(tmp_path):
    """Return what writes a file of lines below the header."""

    def put(*lines, packed=False):
        path = tmp_path / "profile.txt"
        text = (HEADER + "".join(f"{line}\n" for line in lines)).encode()
        path.write_bytes(gzip.compress(text) if packed else text)
        return path

    return put


@pytest.fixture
def symbols(tmp_path):
    """Return the options that give symbols."""
    kernel, xen = tmp_path / "kallsyms", tmp_path / "xensyms"
    kernel.write_text(KALLSYMS)
    xen.write_text(XENSYMS)
    return ("--kallsyms", f"0={kernel}", "--xen-syms", xen)


SAMPLES = (
    f"sample {DOM0} 0 user 0x401000 1",
    f"sample {DOM0} 0 kernel 0xffffffff81000142 20",
    f"sample {DOM0} 0 xen 0xffff82d040201950 300",
    f"sample {WEB} 1 kernel 0xffffffff81000142 4000",
    f"sample {WEB} 1 xen 0xffff82d040201950 50000",
)


def test_each_domain_s_samples_are_named_by_its_kernel_s_and_the_hypervisor_s_symbols(
    put, symbols, tmp_path
):
    imported("xenoprof", put(*SAMPLES), tmp_path / "out", *symbols)

    assert {
        ("Domain-0", "user", "/programs", "0x401000", EVENT): 1,
        ("Domain-0", "kernel", "vmlinux", "schedule", EVENT): 20,
        ("Domain-0", "hypervisor", "/boot/xen-syms", "vcpu_wake", EVENT): 300,
        ("web", "kernel", "no-vmlinux", "0xffffffff81000142", EVENT): 4000,
        ("web", "hypervisor", "/boot/xen-syms", "vcpu_wake", EVENT): 50000,
    } == by_symbol(profile(tmp_path / "out"))


def test_without_symbols_code_is_shown_by_its_addresses(put, tmp_path):
    imported("xenoprof", put(*SAMPLES), tmp_path / "out")

    assert ("web", "hypervisor", "/boot/xen-syms", "0xffff82d040201950", EVENT) in by_symbol(
        profile(tmp_path / "out")
    )


def opreported(archive):
    code, out, _ = run(opreport.main, f"archive:{archive}", "-l")
    assert 0 == code
    return out.splitlines()


def test_opreport_shows_the_event_of_the_processor(put, symbols, tmp_path):
    imported("xenoprof", put(*SAMPLES), tmp_path / "out", *symbols)
    cpu, counted, *_ = opreported(tmp_path / "out/Domain-0")

    assert "CPU: AMD64 processors" == cpu
    assert counted.startswith("Counted CPU_CLK_UNHALTED events (Cycles outside of halt state)")
    assert counted.endswith("count 26000000")


def test_a_packed_file_is_unpacked(put, tmp_path):
    imported("xenoprof", put(*SAMPLES, packed=True), tmp_path / "out")

    assert 5 == len(by_symbol(profile(tmp_path / "out")))


def losses(archive):
    session = archive / "var/lib/oprofile/samples/current"
    return session_losses(session, {})


def test_losses_are_told_of_the_domain_whose_buffers_were_full(put, tmp_path):
    file = put(*SAMPLES, f"lost {WEB} 77", "unasked 3", "unplaced 2")
    out = imported("xenoprof", file, tmp_path / "out")

    assert "54326 samples = 54321 stored + 3 of counters that were not asked for + 2 without" in out
    assert "lost before, as the file tells: 77 samples" in out
    assert {"ring_full": 77} == losses(tmp_path / "out/web")
    assert {"unknown_event": 3, "no_address": 2} == losses(tmp_path / "out/Domain-0")


def test_losses_of_a_domain_without_samples_are_told_by_the_first(put, tmp_path):
    file = put(SAMPLES[0], f"lost {WEB} 77")
    imported("xenoprof", file, tmp_path / "out")

    assert {"ring_full": 77} == losses(tmp_path / "out/Domain-0")


def test_problems_are_told(put, tmp_path):
    out = imported("xenoprof", put(SAMPLES[0], "problem domain 9: EBUSY"), tmp_path / "out")

    assert "note: domain 9: EBUSY" in out


@pytest.mark.parametrize("cpu_type", ["x86-64/family16h", "i386/none"])
def test_a_processor_that_oprofile_does_not_know_is_a_timer(put, tmp_path, cpu_type):
    path = put(*SAMPLES)
    path.write_text(path.read_text().replace("x86-64/hammer", cpu_type))
    imported("xenoprof", path, tmp_path / "out")

    assert "CPU: CPU with timer interrupt" == opreported(tmp_path / "out/web")[0]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((), "no samples: nothing that is profiled has computed"),
        (("nonsense",), "line 8: not of samples: 'nonsense'"),
        (("period_ns 3",), "line 8: not of samples: 'period_ns 3'"),
        (("sample 9 a 0 user 0x1 1",), "line 8: a sample of an unknown domain"),
        (("lost 9 a 1",), "line 8: a sample of an unknown domain"),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_place(put, tmp_path, lines, told):
    assert told in refused("xenoprof", put(*lines), tmp_path / "out")


def test_a_file_that_does_not_tell_the_event_is_refused(put, tmp_path):
    path = put(*SAMPLES)
    path.write_text(path.read_text().replace("event CPU_CLK_UNHALTED 26000000 0\n", ""))

    assert "it does not tell the event" in refused("xenoprof", path, tmp_path / "out")


def test_options_of_captured_buffers_are_refused(put, tmp_path):
    assert "an agent's file tells names" in refused(
        "xenoprof", put(*SAMPLES), tmp_path / "out", "--name", "1=web"
    )


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_nonsense_is_refused_or_read_but_never_a_crash(data):
    try:
        read(HEAD.encode() + b"\n" + data, "a", Symbols())
    except InputError as error:
        assert str(error).startswith("a: ")
