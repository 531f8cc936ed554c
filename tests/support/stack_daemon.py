"""Runs daemons that record stacks, for the tests: a few stacks, and the samples stored."""

from collections import Counter

from hypothesis import strategies as st

from hypervisor.samples import CallStack, StackFrame
from tests.support.daemon import LIBC_PC, WITH_XEN, Daemon
from tests.support.fake_host import (
    HTTPD,
    HYPERVISOR,
    KERNEL,
    KERNEL_START,
    LIBC,
    MODULES,
    USER,
    VMLINUX,
    XEN,
    XEN_START,
)
from xenprof.oprofiled.recorder import StackRecorder
from xenprof.oprofiled.stacks import Known
from xenprof.oprofiled.stackwriter import StackWriter
from xenprof.store import stackfile

NETBK = MODULES[1]
FIRST = 0x400100


def frame(mode, pc, domain=0, image="", offset=0):
    return StackFrame(domain, mode, pc, image, offset)


# Program -> library -> kernel -> module -> kernel -> hypervisor, cut where a sample may fall.
CALLS = (
    frame(USER, FIRST, image=HTTPD, offset=0x100),
    frame(USER, LIBC_PC, image=LIBC, offset=0x1234),
    frame(KERNEL, KERNEL_START + 0x20, image=VMLINUX, offset=0x20),
    frame(KERNEL, NETBK.start + 0x40, image=NETBK.path, offset=0x40),
    frame(KERNEL, KERNEL_START + 0x60, image=VMLINUX, offset=0x60),
    frame(HYPERVISOR, XEN_START + 0x80, image=XEN, offset=0x80),
)
GUEST = (frame(KERNEL, KERNEL_START + 0x20, domain=3, image=VMLINUX, offset=0x20),)
STACKS = {
    **{length: CallStack(CALLS[:length], 0) for length in range(1, 7)},
    10: CallStack(GUEST + CALLS[3:5], 1),
    11: CallStack(CALLS[1:4], 0, is_cut=True),
    12: CallStack(GUEST, 0),
}


class Recording(Daemon):
    """A daemon whose stacks are STACKS."""

    def __init__(self, root, **config):
        super().__init__(root, **{**WITH_XEN, **config})
        self.session.joinpath("samples/current").mkdir(parents=True)
        self.stack_writer = StackWriter(self.writer.session, self.log.append)
        self.oprofiled.record_stacks(self.recorder)

    def recorder(self, attributor):
        names = {0: Known("Domain-0", self.root), 3: Known("web", self.root)}
        return StackRecorder(
            attributor, STACKS.__getitem__, 0, lambda: names, self.stack_writer, 1000
        )

    def balance(self):
        recorder = self.oprofiled.recorder
        assert recorder is not None
        return recorder.balance()

    def arcs(self):
        """Return {(caller image, callee image): {(caller offset, callee offset): count}}."""
        found: dict = {}
        for file in self.files():
            if file.key.callee is not None:
                pair = file.key.image.path, file.key.callee.path
                counts = found.setdefault(pair, Counter())
                for key, count in zip(file.offsets.tolist(), file.counts.tolist(), strict=True):
                    counts[key >> 32, key & 0xFFFFFFFF] += count
        return found

    def plain(self):
        return sum(file.total for file in self.files() if file.key.callee is None)

    def stacks(self):
        """Return {names of the frames: samples of each event}."""
        profile = stackfile.read_stacks(self.writer.session)
        assert profile is not None
        return {
            tuple((f.domain, f.image, f.symbol) for f in (profile.frames[step] for step in stack)):
            row
            for stack, row in zip(profile.stacks, profile.values.tolist(), strict=True)
        }  # fmt: skip


def row(length, *, pc=None, **more):
    """Return a sample whose stack has `length` of CALLS."""
    last = STACKS[length].frames[-1]
    return {"mode": int(last.mode), "pc": last.pc if pc is None else pc, "stack_id": length, **more}


rows = st.lists(
    st.tuples(st.sampled_from([*range(1, 7), 10, 11]), st.integers(0, 7), st.sampled_from([0, 3])),
    min_size=1, max_size=40,
)  # fmt: skip
