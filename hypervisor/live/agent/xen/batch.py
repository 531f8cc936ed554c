"""Asks many questions about domains in one hypercall.

Source: struct multicall_entry of xen/include/public/xen.h.
"""

import errno
import struct
from typing import Callable, List, Sequence, Tuple

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.xen import layouts
from hypervisor.live.agent.xen.interface import Interface
from hypervisor.live.agent.xen.privcmd import Privcmd

MOST = 128
"""So many questions are asked at once."""

Refused = Callable[[HypercallFailed], None]
"""Is told of each question that the hypervisor has refused."""

_MULTICALL = 13
_DOMCTL = 36
_ENTRY = struct.Struct("<QqQ40x")  # hypercall, result, first argument
_RESULT = struct.Struct("<8xq48x")
_GONE = (-errno.ESRCH, -errno.EINVAL, -errno.ENOENT)


class Batch:
    """Requests in a row, and the list by which the hypervisor goes through them.

    Where it has no hypercall for many, they are made one by one.
    """

    def __init__(self, privcmd: Privcmd, xen: Interface) -> None:
        self._privcmd = privcmd
        self._xen = xen
        self._is_together = True
        memory = privcmd.memory(MOST * (_ENTRY.size + layouts.REQUEST_BYTES))
        self.data = memory.data
        self._address = memory.address
        for index in range(MOST):
            _ENTRY.pack_into(self.data, index * _ENTRY.size, _DOMCTL, 0, self._request(index))

    def ask(
        self, command: int, questions: Sequence[Tuple[int, bytes]], refused: Refused
    ) -> List[int]:
        """Ask at most `MOST` questions, of a domid and what belongs to the command each.

        Returns where in `data` each answer begins; -1 if that of which was asked is not there.
        """
        version = self._xen.domctl.version
        at = MOST * _ENTRY.size
        for domid, content in questions:
            layouts.DOMCTL_HEAD.pack_into(self.data, at, command, version, domid)
            begin = at + Interface.DOMCTL_AT
            self.data[begin : begin + len(content)] = content
            at += layouts.REQUEST_BYTES
        answers = []
        at = MOST * _ENTRY.size + Interface.DOMCTL_AT
        for result in self._results(len(questions)):
            if result == 0:
                answers.append(at)
            else:
                answers.append(-1)
                if result not in _GONE:
                    refused(HypercallFailed(abs(result)))
            at += layouts.REQUEST_BYTES
        return answers

    def _results(self, count: int) -> List[int]:
        if self._is_together:
            try:
                self._privcmd.call(_MULTICALL, self._address, count)
                self._xen.calls += count
                entries = bytes(self.data[: count * _ENTRY.size])
                return [result for (result,) in _RESULT.iter_unpack(entries)]
            except HypercallFailed:
                self._is_together = False
        return [self._alone(index) for index in range(count)]

    def _alone(self, index: int) -> int:
        try:
            self._xen.call(_DOMCTL, self._request(index))
        except HypercallFailed as error:
            return -error.errno
        return 0

    def _request(self, index: int) -> int:
        return self._address + MOST * _ENTRY.size + index * layouts.REQUEST_BYTES
