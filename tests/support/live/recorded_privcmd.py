"""Answers hypercalls as a real hypervisor has: by what recorded/ holds of its memory."""

import errno
import json
import struct
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

from hypervisor.live.agent.errors import HypercallFailed
from hypervisor.live.agent.xen.privcmd import Memory
from tests.support.paths import ROOT

FOLDER = ROOT / "tests/support/live/recorded"
AFFINITY = "19000000"
OF_A_VCPU = ("0d", "0e", "19")  # commands, in hexadecimal digits


def recording(name: str) -> Any:
    """Return a recording: its calls in order, each with the memory after it."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


class RecordedPrivcmd:
    """Each question, told by its command, version and domain, is answered as it was in its turn."""

    def __init__(self, name: str) -> None:
        self._memories: list[Memory] = []
        self._answers: dict[tuple[int, str], deque[dict[str, Any]]] = defaultdict(deque)
        buffer = ""
        for call in recording(name)["calls"]:
            buffer = buffer if call["buffer"] is None else call["buffer"]
            key = (call["op"], _question(call["op"], call["asked"], call.get("command", 0)))
            self._answers[key].append(dict(call, buffer=buffer))

    def memory(self, size: int) -> Memory:
        memory = Memory(0x10000000 * (len(self._memories) + 1), bytearray(-(-size // 4096) * 4096))
        self._memories.append(memory)
        return memory

    def map_frames(self, domid: int, frames: Sequence[int], is_writable: bool = True) -> Memory:
        raise AssertionError("no frames were recorded")

    def unmap(self, memory: Memory) -> None:
        raise AssertionError("no frames were recorded")

    def _at(self, address: int) -> memoryview:
        """Return the memory from an address on."""
        memory = max(
            (one for one in self._memories if one.address <= address), key=lambda one: one.address
        )
        return memoryview(memory.data)[address - memory.address :]

    def call(self, op: int, *args: int) -> int:
        if op == 13:
            raise HypercallFailed(errno.ENOSYS)  # it was recorded one by one
        buffer = memoryview(self._memories[1].data)
        request = buffer[:0] if op == 17 else self._at(args[0])
        key = (op, _question(op, bytes(request[:24]).hex(), args[0]))
        (bitmap,) = struct.unpack_from("<Q", request, 24) if op != 17 else (0,)
        answers = self._answers[key]
        call = answers.popleft() if len(answers) > 1 else answers[0]  # the last one again and again
        if op != 17:
            request[:144] = bytes.fromhex(call["request"]).ljust(144, b"\0")
        if op == 36 and key[1].startswith(AFFINITY):
            buffer = self._at(bitmap)
        content = bytes.fromhex(call["buffer"])
        buffer[: len(content)] = content
        if call["errno"]:
            raise HypercallFailed(call["errno"])
        return int(call["result"])


def _question(op: int, asked: str, command: int) -> str:
    """Return what tells one question from another: of some domctls also the number of a vcpu."""
    if op == 36 and asked[:2] in OF_A_VCPU:
        return asked[:40]
    return {17: str(command), 35: asked[:16], 36: asked[:24]}[op]
