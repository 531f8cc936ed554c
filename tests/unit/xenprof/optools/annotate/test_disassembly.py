import re
from pathlib import Path

import pytest

from tests.support.paths import TESTS
from xenprof.images import load_symbols
from xenprof.optools.annotate.addresslabels import address_labels
from xenprof.optools.annotate.disassembly import GAP, open_code
from xenprof.optools.annotate.gnusyntax import gnu_text, intel_text, plain_text

FIXTURES = TESTS / "fixtures" / "compiled"


def listing(path: Path) -> dict[int, str]:
    symbols = load_symbols(path)
    assert symbols.image is not None
    code = open_code(symbols.image)
    assert code is not None
    rows = list(
        zip(symbols.starts.tolist(), symbols.ends.tolist(), symbols.vmas.tolist(), strict=True)
    )
    labels = address_labels(symbols.image)
    return {
        step.address: step.text
        for start, end, vma in rows
        for step in code.instructions(start, end - start, vma, labels)
    }


@pytest.mark.parametrize("program", ["demo", "demo32"])
def test_instructions_are_spelled_as_objdump_spells_them(program: str) -> None:
    recorded = (FIXTURES / f"{program}-objdump.txt").read_text()
    lines = re.findall(r"^ *([0-9a-f]+):\t(.*)$", recorded, re.MULTILINE)
    assert {int(address, 16): text for address, text in lines} == listing(FIXTURES / program)


def test_calls_and_data_have_the_names_that_objdump_gives_them() -> None:
    recorded = (FIXTURES / "dynamic-objdump.txt").read_text()
    lines = re.findall(r"^ *([0-9a-f]+):\t(.*)$", recorded, re.MULTILINE)
    ours = listing(FIXTURES / "dynamic")
    plt = range(0x1020, 0x1050)  # no symbol owns it, so that it is never listed
    expected = {int(address, 16): text for address, text in lines}
    assert {place: text for place, text in expected.items() if place not in plt} == ours


def no_label(address: int) -> str:
    return ""


@pytest.mark.parametrize(
    ("mnemonic", "operands", "raw", "text"),
    [
        ("movq", "$-1, %rbx", "48c7c3ffffffff", "mov    $0xffffffffffffffff,%rbx"),
        ("movq", "8(%rsp), %rax", "488b442408", "mov    0x8(%rsp),%rax"),
        ("cmpb", "$0, (%rsi, %rcx)", "803c0e00", "cmpb   $0x0,(%rsi,%rcx,1)"),
        ("cmovneq", "%rdx, %rax", "480f45c2", "cmovne %rdx,%rax"),
        ("sarq", "$1, %rsi", "48d1fe", "sar    %rsi"),
        ("movq", "(%rbp), %rax", "488b4500", "mov    0x0(%rbp),%rax"),
        ("leaq", "(, %r12, 4), %r12", "4e8d24a500000000", "lea    0x0(,%r12,4),%r12"),
        ("movq", "%rbx, %xmm0", "66480f6ec3", "movq   %rbx,%xmm0"),
        ("nopl", "(%rax)", "0f1f4000", "nopl   0x0(%rax)"),
        ("nopl", "(%rax)", "0f1f00", "nopl   (%rax)"),
        ("nopw", "%cs:(%rax, %rax)", "662e0f1f840000000000", "cs nopw 0x0(%rax,%rax,1)"),
        ("nop", "", "6690", "xchg   %ax,%ax"),
        ("retq", "", "c3", "ret"),
        ("callq", "*0x2f5f(%rip)", "ff155f2f0000", "call   *0x2f5f(%rip)        # 3f65"),
        ("jne", "0x1098", "75f0", "jne    1098"),
        ("lock cmpxchgl", "%ecx, 8(%r15)", "f0410fb14f08", "lock cmpxchg %ecx,0x8(%r15)"),
        ("lock decq", "(%rax)", "f048ff08", "lock decq (%rax)"),
        ("shlb", "%cl, 8(%rbx)", "d26308", "shlb   %cl,0x8(%rbx)"),
        ("rep stosq", "%rax, (%rdi)", "f348ab", "rep stos %rax,%es:(%rdi)"),
        ("rep movsq", "(%rsi), (%rdi)", "f348a5", "rep movsq %ds:(%rsi),%es:(%rdi)"),
        ("fmulp", "%st(1)", "dec9", "fmulp  %st,%st(1)"),
        ("cvtsi2sdl", "%edx, %xmm0", "f20f2ac2", "cvtsi2sd %edx,%xmm0"),
        ("cvtsi2sdl", "8(%rsp), %xmm0", "f20f2a442408", "cvtsi2sdl 0x8(%rsp),%xmm0"),
        ("movabsq", "$0x346dc5d63886594b, %r9", "49b9", "movabs $0x346dc5d63886594b,%r9"),
    ],
)
def test_one_instruction_as_objdump_spells_it(mnemonic, operands, raw, text) -> None:
    code = bytes.fromhex(raw)
    assert text == gnu_text(mnemonic, operands, code, 0x1000 + len(code), no_label)


def test_intel_syntax_has_capital_sizes_and_no_blanks() -> None:
    code = bytes.fromhex("0fb674c2ff")
    text = intel_text("movzx", "esi, byte ptr [rdx + rax*8 - 1]", code, 0x1005, no_label)
    assert "movzx  esi,BYTE PTR [rdx+rax*8-0x1]" == text


@pytest.mark.parametrize(
    ("mnemonic", "operands", "raw", "text"),
    [
        ("lea", "rdi, [rip - 0x7b]", "488d3d85ffffff", "lea    rdi,[rip+0xffffffffffffff85]        # f8c <f.isra.0>"),
        ("jne", "0x1098", "75f0", "jne    1098 <f.isra.0>"),
        ("movzx", "eax, byte ptr [r12 + rbx]", "410fb6041c", "movzx  eax,BYTE PTR [r12+rbx*1]"),
        ("movzx", "edx, byte ptr [r13]", "410fb65500", "movzx  edx,BYTE PTR [r13+0x0]"),
        ("nop", "", "6690", "xchg   ax,ax"),
    ],
)  # fmt: skip
def test_one_instruction_in_intel_syntax_as_objdump_spells_it(
    mnemonic, operands, raw, text
) -> None:
    code = bytes.fromhex(raw)
    assert text == intel_text(
        mnemonic, operands, code, 0x1000 + len(code), lambda address: "<f.isra.0>"
    )


def test_targets_of_other_machines_have_their_symbol_too() -> None:
    assert "bl\t4004 <f>" == plain_text("bl", "#0x4004", lambda address: "<f>")


def test_bytes_that_are_no_instruction_are_shown_as_bad(tmp_path: Path) -> None:
    image = tmp_path / "image"
    data = bytearray((FIXTURES / "demo").read_bytes())
    data[0x1000] = 0x06  # push %es, which 64-bit processors lack
    image.write_bytes(data)
    assert "(bad)" == listing(image)[0x401000]


def test_an_unknown_machine_cannot_be_decoded(tmp_path: Path) -> None:
    image = tmp_path / "image"
    data = bytearray((FIXTURES / "demo").read_bytes())
    data[18:20] = (22).to_bytes(2, "little")  # s390
    image.write_bytes(data)
    elf = load_symbols(image).image
    assert elf is not None
    assert open_code(elf) is None


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        (b"\xc3" + bytes(8), ["ret", GAP]),
        (b"\xc3" + bytes(2), ["ret", GAP]),
        (b"\xc3" + bytes(10) + b"\xc3", ["ret", GAP, "add    %al,(%rax)", "ret"]),
        (b"\xc3" + bytes(4), ["ret", "add    %al,(%rax)", GAP]),
    ],
)
def test_zeros_are_skipped_as_objdump_skips_them(code: bytes, texts: list[str], tmp_path) -> None:
    image = tmp_path / "image"
    data = bytearray((FIXTURES / "demo").read_bytes())
    data[0x1000 : 0x1000 + len(code)] = code
    image.write_bytes(data)
    elf = load_symbols(image).image
    assert elf is not None
    listed = open_code(elf)
    assert listed is not None
    steps = listed.instructions(0x1000, len(code), 0x401000, no_label)
    assert texts == [step.text for step in steps]
