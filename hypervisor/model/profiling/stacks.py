"""Finds the call stacks of samples from their paths, functions and situations, and numbers them.

Each stack is built once and then known by its number, so that a sample needs one look-up in a
table over (situation, entry); an entry is a function of an op in a path.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from hypervisor.model.codebook.book import CodeBook
from hypervisor.model.codebook.callchains import ASKS, Asking, Chain, Chains, Function, Situation
from hypervisor.model.codebook.images import Image, file_offset
from hypervisor.model.codebook.work import TaskIdentity
from hypervisor.model.domain.domain import Vcpu
from hypervisor.samples import CallStack, StackFrame
from hypervisor.telemetry import Mode

Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]

_SERVES = {
    "serve_send": "network",
    "serve_receive": "network",
    "serve_disk": "disk",
    "disk_done": "disk",
}
_ASKS = {name: "network" if name == "ask_network" else "disk" for name in ASKS}


class Stacks:
    """All stacks of a host. The host's thread adds situations, the reader's thread stacks."""

    def __init__(self, code: CodeBook) -> None:
        self._code = code
        self._chains = Chains(
            code.images, code.costs, functions=code.costs.cpus[code.cpu_type].functions
        )
        self._situations: list[Situation] = []
        self._numbers: dict[Situation, int] = {}
        self._programs: dict[str, str] = {"": ""}  # image key by path
        self._asked: dict[tuple[int, str], Asking] = {}
        self._before: dict[tuple[int, int], Asking] = {}  # by domid and vcpu
        self._stacks: list[CallStack] = []
        self._known: dict[CallStack, int] = {}
        self._frames: dict[tuple[int, Function, Function | None], StackFrame] = {}
        self._table = np.full((0, len(code.sampling.entries)), -1, np.int32)
        # Of several situations the first one in the file's list wins.
        names = list(self._chains.situations)
        self._names = [*names, ""]
        self._rank = np.full(len(code.paths), len(names), np.int64)
        for rank, name in reversed(list(enumerate(names))):
            for path in self._chains.situations[name]:
                self._rank[code.index[path]] = rank
        self._is_ask = np.array([name in _ASKS for name in self._names])
        self._callers: dict[int, npt.NDArray[np.float64]] = {}

    # -- on the host's thread ----------------------------------------------------------------

    def situations(
        self,
        vcpus: Sequence[Vcpu],
        tasks: Sequence[TaskIdentity],
        askers: Sequence[int],
        depths: Mapping[int, int],
        ranks: Ints,
        rows: Ints,
    ) -> Numbers:
        """Return the numbers of some segments' situations; the segments are in the order of time.

        `askers`: the domain worked for, -1 for none; `ranks`: the least rank of a segment's paths;
        `depths` by domid: without one nothing is recorded (-1). `rows`: the segments asked for;
        the others only show who asked domain 0 for what.
        """
        is_wanted = np.zeros(len(vcpus), np.bool_)
        is_wanted[rows] = True
        numbers = []
        looked_at = np.flatnonzero(is_wanted | self._is_ask[ranks])
        for row, rank, wanted in zip(
            looked_at.tolist(), ranks[looked_at].tolist(), is_wanted[looked_at].tolist(),
            strict=True,
        ):  # fmt: skip
            vcpu, name = vcpus[row], self._names[rank]
            domid = vcpu.domain.domid
            now = Asking(name, self._program(tasks[row].program))
            if name in _ASKS:
                self._before[domid, vcpu.vcpu_id] = now
                self._asked[domid, _ASKS[name]] = now
            if not wanted:
                continue
            depth = depths.get(domid, 0)
            if not depth:
                numbers.append(-1)
                continue
            asker, asked = askers[row], Asking()
            if asker >= 0:
                asked = self._asked.get((asker, _SERVES.get(name, "")), asked)
            before = now if domid == 0 else self._before.get((domid, vcpu.vcpu_id), now)
            situation = Situation(domid, depth, now, asker, asked, before)
            number = self._numbers.get(situation)
            if number is None:
                number = len(self._situations)
                self._situations.append(situation)
                self._numbers[situation] = number
            numbers.append(number)
        return np.array(numbers, np.int32)

    def rank(self, path: Ints) -> Ints:
        """Return the rank of each path; the least rank decides a segment's situation."""
        return self._rank[path]

    def callers(self, depth: int) -> npt.NDArray[np.float64]:
        """Return the mean number of callers recorded, by [mode, path].

        Judgement: the callers in a segment of only that path stand for all.
        """
        if depth not in self._callers:
            code, sampling = self._code, self._code.sampling
            sums = np.zeros((3, len(code.paths)))
            weights = np.zeros((3, len(code.paths)))
            for entry, weight in zip(sampling.entries, sampling.entry_weights, strict=True):
                name = self._names[self._rank[entry.path]]
                now = Asking(name, self._program(code.paths[entry.path].program or ""))
                situation = Situation(1, depth, now, notifies=now)
                chain = self._chains.chain(
                    code.paths[entry.path].name, entry.op, entry.function, situation
                )
                own = sum(domid == situation.domid for domid, _ in chain) - 1
                sums[entry.mode, entry.path] += weight * min(own, depth)
                weights[entry.mode, entry.path] += weight
            self._callers[depth] = sums / np.maximum(weights, 1)
        return self._callers[depth]

    def _program(self, path: str) -> str:
        key = self._programs.get(path)
        if key is None:
            key = self._programs[path] = self._chains.program_of(path)
        return key

    # -- on the reader's thread --------------------------------------------------------------

    def numbers(self, situation: Numbers, entry: npt.NDArray[np.intp]) -> Numbers:
        """Return the stack of each sample; -1 where the situation is -1 (nothing was recorded)."""
        missing = len(self._situations) - len(self._table)
        if missing > 0:
            more = np.full((max(missing, len(self._table)), self._table.shape[1]), -1, np.int32)
            self._table = np.concatenate([self._table, more])
        flat = self._table.reshape(-1)
        at = situation.astype(np.int64) * self._table.shape[1] + entry
        known = situation >= 0
        found = np.where(known, flat[at], -1)
        if (wanted := known & (found < 0)).any():
            for place in np.unique(at[wanted]).tolist():
                number, index = divmod(place, self._table.shape[1])
                flat[place] = self._number(self._situations[number], index)
            found = np.where(known, flat[at], -1)
        return found

    def stack(self, number: int) -> CallStack:
        """Return the stack of this number."""
        return self._stacks[number]

    def _number(self, situation: Situation, index: int) -> int:
        entry = self._code.sampling.entries[index]
        name = self._code.paths[entry.path].name
        chain = self._in_kernels(self._chains.chain(name, entry.op, entry.function, situation))
        # The domain's own part is its last run of frames; the frames before it led there.
        own = len(chain)
        while own and chain[own - 1][0] == situation.domid:
            own -= 1
        first = len(chain) - 1 - situation.depth
        is_cut = first > own
        if is_cut:
            chain, own = chain[first:], 0
        frames = []
        for step, (domid, function) in enumerate(chain):
            callee = chain[step + 1][1] if step + 1 < len(chain) else None
            frames.append(self._frame(domid, function, callee))
        stack = CallStack(tuple(frames), own, is_cut)
        number = self._known.get(stack)
        if number is None:
            number = self._known[stack] = len(self._stacks)
            self._stacks.append(stack)
        return number

    def _in_kernels(self, chain: Chain) -> Chain:
        """Return a chain as it is in the domains' own kernels, where some functions are one."""
        native = self._code.native
        if not native.domids:
            return chain
        here = [(domid, native.function(domid, function)) for domid, function in chain]
        return tuple(one for at, one in enumerate(here) if not at or one != here[at - 1])

    def _frame(self, domid: int, function: Function, callee: Function | None) -> StackFrame:
        key = (domid, function, callee)
        frame = self._frames.get(key)
        if frame is None:
            image = self._code.images[function[0]]
            pc = _return_address(image, function[1], callee)
            offset = file_offset(image, pc)
            frame = self._frames[key] = StackFrame(domid, Mode(image.mode), pc, image.path, offset)
        return frame


def _return_address(image: Image, name: str, callee: Function | None) -> int:
    """Return the address after a function's call, computed from the names of both functions.

    The function that is executing has no callee; its start stands for its pc.
    """
    symbol = image.symbols[name]
    if callee is None:
        return symbol.address
    digest = hashlib.sha256(f"{name}>{callee[0]}:{callee[1]}".encode()).digest()
    return symbol.address + 5 + (digest[0] * (symbol.size - 8) >> 8)
