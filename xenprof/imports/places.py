"""Classifies code by perf's dso names and pprof's mappings."""

import re

from xenprof.imports.recording import UNKNOWN, clean
from xenprof.profile.stacks import Layer

GUEST = "guest"
"""The domain of perf's [guest.kernel]; guests of kvm have no names there."""
NO_KERNEL_IMAGE = "no-vmlinux"
XEN_IMAGE = "/boot/xen-syms"

_KERNEL_HALF = 1 << 63
_NO_CODE = (1 << 64) - 4095  # marks of perf's call chains (PERF_CONTEXT_MAX), and all ones
_KALLSYMS = re.compile(
    r"\[(guest\.)?kernel(\.kallsyms|\.vmlinux|\.core)?(\.\d+)?\](_text|_stext|\.[\w.]+)?"
)
_GUEST_ID = re.compile(r"\[guest\.kernel\.kallsyms\.(\d+)\].*")
_VMLINUX = re.compile(r"vmlinux([.-].*)?")
_XEN = re.compile(r"xen(-syms)?([.-].*)?")
_MODULE = re.compile(r"(.+)\.ko(\.(gz|xz|zst|debug))*")
_BRACKETED = re.compile(r"\[([^\[\]/]+)\]")
_CORE = ("[kcore]", "/proc/kcore")
_HYPERVISOR = ("[hypervisor]", "[xen.hypervisor]", "xen-syms")
_MEMORY = {
    "//anon": "anon", "[anon]": "anon", "anon": "anon", "[heap]": "[heap]",
    "[vdso]": "[vdso]", "[vsyscall]": "[vsyscall]", "[vvar]": "[vvar]",
    "[uprobes]": "[uprobes]",
}  # fmt: skip
_ANONYMOUS = (
    "[stack",
    "anon_inode:",
    "/dev/zero",
    "/memfd:",
    "/SYSV",
    "/anon_hugepage",
    "[anon:",
    "//toptr",
)


def classified(dso: str, address: int, domain: str) -> tuple[str, Layer, str, str]:
    """Return image, layer, domain and kind of anonymous memory ("": an image) of a dso.

    `address` decides where the name does not; -1 if unknown.
    """
    dso = clean(dso).removesuffix(" (deleted)") or UNKNOWN
    base = dso.rpartition("/")[2]
    if dso in _CORE:
        return "vmlinux", Layer.KERNEL, domain, ""
    if match := _KALLSYMS.fullmatch(dso):
        guest = _GUEST_ID.fullmatch(dso)
        owner = (f"{GUEST}-{guest[1]}" if guest else GUEST) if match[1] else domain
        return "vmlinux", Layer.KERNEL, owner, ""
    if dso.startswith("[guest."):
        module = dso[len("[guest.") :].rstrip("]") or "module"
        return module, Layer.KERNEL, GUEST, ""
    if dso in _HYPERVISOR or (dso.startswith("/boot/") and _XEN.fullmatch(base)):
        return dso if dso.startswith("/") else XEN_IMAGE, Layer.HYPERVISOR, domain, ""
    if dso == UNKNOWN:
        if address >= _KERNEL_HALF and is_code(address):
            return NO_KERNEL_IMAGE, Layer.KERNEL, domain, ""
        return UNKNOWN, Layer.USER, domain, UNKNOWN
    if kind := _MEMORY.get(dso):
        return f"[{kind.strip('[]')}]", Layer.USER, domain, kind
    if dso.startswith("[JIT]"):
        return "[JIT]", Layer.USER, domain, "JIT"
    if dso.startswith(_ANONYMOUS):
        kind = "[stack]" if dso.startswith("[stack") else "anon"
        return f"[{kind.strip('[]')}]", Layer.USER, domain, kind
    if _VMLINUX.fullmatch(base):
        return dso, Layer.KERNEL, domain, ""
    if match := _MODULE.fullmatch(base):
        return match[1], Layer.KERNEL, domain, ""
    if match := _BRACKETED.fullmatch(dso):  # perf's name of a module
        return match[1], Layer.KERNEL, domain, ""
    layer = Layer.KERNEL if address >= _KERNEL_HALF else Layer.USER
    return dso, layer, domain, ""


def is_code(address: int) -> bool:
    """Return whether code can be at an address; where not, an unwinder has given up."""
    return address < _NO_CODE
