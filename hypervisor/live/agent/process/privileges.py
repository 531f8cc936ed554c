"""Gives up what root may do, after everything is open that needed it.

The agent stays the user root, as xenstore's socket and the files of tapdisks are root's own, but
has no capability then and can have none again. That is a second wall, not the first: who holds the
privileged command device open can do with the host what he likes.
"""

import ctypes
import os
import threading
from typing import Callable, Iterable, List, Tuple

_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 24, 38, 47, 4
_PR_SET_DUMPABLE = 4
_CAPABILITY_VERSION_3 = 0x20080522
_SETS = 6  # effective, permitted and inheritable, of 32 capabilities and then of the other 32
_MOST_CAPABILITIES = 64  # that this version of capset(2) can name

OTHERS_FILES: Tuple[int, ...] = (1, 3)
"""CAP_DAC_OVERRIDE and CAP_FOWNER: to open and name files in folders of other users."""


class _Head(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def without(do: Callable[[], None]) -> None:
    """Do something as it is done when capabilities are given up; they stay. Raises: what it does.

    It is done in a thread, which has capabilities of its own.
    """
    raised: List[Exception] = []

    def run() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        head = _Head(_CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * _SETS)()
        libc.capget(ctypes.byref(head), sets)
        sets[0] = sets[3] = 0  # effective
        libc.capset(ctypes.byref(head), sets)
        try:
            do()
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def give_up(but: Iterable[int] = ()) -> List[str]:
    """Give up all capabilities, and new ones; return what could not be given up, a line each.

    `but` are the numbers of those that stay, where this thread has them.
    It is of this thread and of those that it starts: call it before there are others.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    kept: List[str] = []

    def did(what: str, result: int) -> None:
        if result != 0:
            kept.append(f"{what}: {os.strerror(ctypes.get_errno())}")

    did("no new privileges", libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    did("not to be traced", libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0))
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(_MOST_CAPABILITIES):
        # Fails for numbers that this kernel does not know, and for all without CAP_SETPCAP.
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    head = _Head(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * _SETS)()
    did("to ask for capabilities", libc.capget(ctypes.byref(head), sets))
    wanted = sum(1 << capability for capability in but)
    staying = (sets[1] & wanted, sets[4] & wanted >> 32)
    sets[:] = [staying[0], staying[0], 0, staying[1], staying[1], 0]
    did("capabilities", libc.capset(ctypes.byref(head), sets))
    return kept
