"""Asks many questions about domains in one hypercall, and the same ones again in the next poll.

Source: struct multicall_entry of xen/include/public/xen.h.
"""

import errno
import struct
from typing import Callable, List, NamedTuple, Sequence, Set, Tuple

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.xen.interface import Interface
from hypervisor.live.agent.xen.layouts import DOMCTL_HEAD, REQUEST_BYTES
from hypervisor.live.agent.xen.privcmd import Privcmd

MOST = 128
"""So many questions are asked at once."""

Refused = Callable[[int, HypercallFailed], None]
"""Is told of each question that the hypervisor has refused, by its place."""

_MULTICALL = 13
_DOMCTL = 36
_ENTRY = struct.Struct("<QqQ40x")  # hypercall, result, first argument
_RESULT = struct.Struct("<8xq48x")
_REQUESTS_AT = MOST * _ENTRY.size
_GONE = (-errno.ESRCH, -errno.EINVAL, -errno.ENOENT)


class Question(NamedTuple):
    """One question about a domain."""

    command: int
    domid: int
    content: bytes  # what belongs to the command


class Questions(NamedTuple):
    """Questions that are ready to be asked, as often as wanted."""

    number: int
    requests: bytes  # one after the other, `REQUEST_BYTES` each


class Answers(NamedTuple):
    """The answers to questions, in their order."""

    requests: bytes  # as the hypervisor has filled them in
    missing: Set[int]  # the places of those that are not there, or were refused


class Batch:
    """Memory for requests in a row, and the list by which the hypervisor goes through them.

    Where it has no hypercall for many, they are made one by one.
    """

    def __init__(self, privcmd: Privcmd, xen: Interface) -> None:
        self._privcmd = privcmd
        self._xen = xen
        self._is_together = True
        memory = privcmd.memory(_REQUESTS_AT + MOST * REQUEST_BYTES)
        self._data = memory.data
        self._address = memory.address
        # The list as it is before it is gone through, and after each question was answered.
        self._entries = b"".join(_ENTRY.pack(_DOMCTL, 0, self._request(at)) for at in range(MOST))

    def ready(self, questions: Sequence[Question]) -> Questions:
        """Return questions as the hypervisor reads them."""
        version = self._xen.domctl.version
        requests = [
            (DOMCTL_HEAD.pack(command, version, domid) + content).ljust(REQUEST_BYTES, b"\0")
            for command, domid, content in questions
        ]
        return Questions(len(questions), b"".join(requests))

    def ask(self, questions: Questions, refused: Refused) -> Answers:
        """Ask, `MOST` questions at once."""
        answers: List[bytes] = []
        missing: Set[int] = set()
        for begin in range(0, questions.number, MOST):
            count = min(MOST, questions.number - begin)
            at = begin * REQUEST_BYTES
            end = _REQUESTS_AT + count * REQUEST_BYTES
            self._data[_REQUESTS_AT:end] = questions.requests[at : at + count * REQUEST_BYTES]
            for index, result in self._failures(count):
                missing.add(begin + index)
                if result not in _GONE:
                    refused(begin + index, HypercallFailed(abs(result)))
            answers.append(bytes(self._data[_REQUESTS_AT:end]))
        return Answers(b"".join(answers), missing)

    def _failures(self, count: int) -> List[Tuple[int, int]]:
        """Go through the first requests; return those with a result that is not 0, and it."""
        if not self._is_together:
            return self._one_by_one(count)
        size = count * _ENTRY.size
        expected = self._entries[:size]
        self._data[:size] = expected
        try:
            self._privcmd.call(_MULTICALL, self._address, count)
        except HypercallFailed:
            self._is_together = False
            return self._one_by_one(count)
        self._xen.calls += count
        entries = bytes(self._data[:size])
        if entries == expected:
            return []
        return [(at, one) for at, (one,) in enumerate(_RESULT.iter_unpack(entries)) if one]

    def _one_by_one(self, count: int) -> List[Tuple[int, int]]:
        found = []
        for index in range(count):
            try:
                self._xen.call(_DOMCTL, self._request(index))
            except HypercallFailed as error:
                found.append((index, -error.errno))
        return found

    def _request(self, index: int) -> int:
        return self._address + _REQUESTS_AT + index * REQUEST_BYTES
