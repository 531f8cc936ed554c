"""What each test of AIM7 does: code of its own, calls of the kernel, or a file.

Source of the counts: AIM7's sources, for one test: 100 forks, 5 programs loaded, a shell script,
1700 pages allocated, 17 000 steps of brk, 1000 files created and closed, 10 000 entries of a
directory read, 90 messages by TCP, 100 by UDP and through pipes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Part = tuple[str, int]
Access = Literal["read", "write"]

# What a test computes, in 1000 cycles of a P4 (judgement): some 14 million additions, which take
# two cycles each; and more for tests of memory, so that the mean test of dbase takes as long as was
# measured: 5.9 ms on a Xeon of 2012 with a RAM disk, and 2.5 to 3.5 times that on a P4 of 3.2 GHz.
ADDED: Final = 28_000
SORTED: Final = 70_000
MOVED: Final = 130_000
_SWITCHES: Final = 2  # to the process that gets a message, and back
_TCP_MESSAGE: Final = (
    ("socket_send_message", 1),
    ("copy_from_user_kib", 1),
    ("tcp_send_packet", 1),
    ("tcp_receive_segment", 1),
    ("socket_receive_message", 1),
    ("copy_to_user_kib", 1),
    ("kernel_wake", 1),
    ("guest_switch", _SWITCHES),
)
_UDP_MESSAGE: Final = (
    ("udp_send_call", 1),
    ("udp_send_datagram", 1),
    ("udp_receive_datagram", 1),
    ("udp_receive_call", 1),
    ("kernel_wake", 1),
    ("guest_switch", _SWITCHES),
)
_PIPE_MESSAGE: Final = (("pipe_exchange", 1), ("page_cache_kib", 2), ("guest_switch", _SWITCHES))


@dataclass(frozen=True, slots=True)
class FileTest:
    """Transfers of 1 KiB: all of the user's file, or so many in a hundred of its blocks."""

    access: Access
    percent: int = 100
    is_random: bool = False
    is_sync: bool = False


def _times(count: int, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple((path, each * count) for path, each in parts)


_ARITHMETIC: Final = (("aim7_arithmetic", ADDED),)
_MEMORY: Final = (("aim7_memory", MOVED),)
_SORTING: Final = (("aim7_memory", SORTED),)
# 30 000 allocations, some of which get new pages.
_ALLOCATIONS: Final = (("aim7_memory", MOVED), ("page_fault", 1500), ("brk_call", 300))

OPERATIONS: Final[Mapping[str, tuple[Part, ...]]] = {
    "add": _ARITHMETIC,
    "mul": _ARITHMETIC,
    "div": _ARITHMETIC,
    "matrix_rtns": _ARITHMETIC,
    "trig_rtns": _ARITHMETIC,
    "series": _ARITHMETIC,
    "newton": _ARITHMETIC,
    "num_rtns": _ARITHMETIC,
    "other": _ARITHMETIC,
    "string_rtns": _SORTING,
    "sort_rtns": _SORTING,
    "sieve": _SORTING,
    "shared_memory": _MEMORY,
    "mem_rtns_1": _ALLOCATIONS,
    "mem_rtns_2": _ALLOCATIONS,
    "page_test": (("page_fault", 1700), ("brk_call", 2)),
    "brk_test": (("brk_call", 17_000),),
    "fork_test": (("fork", 100),),
    "exec_test": (("fork", 5), ("exec", 5)),
    "shell_rtns": (("fork", 2), ("exec", 2), ("shell", 1)),
    "creat_clo": (("file_create", 1000), ("file_delete", 1)),
    "dir_rtns": (("directory_block", 10_000), ("aim7_memory", 3000)),
    "link_test": (("file_create", 126), ("file_delete", 126)),  # a link is a new name, too
    "disk_src": (("open_close", 400), ("stat_call", 1600), ("directory_block", 400)),
    "signal_test": (("signal_handle", 1000), ("signal_install", 1)),
    "tcp_test": _times(90, _TCP_MESSAGE),
    "udp_test": _times(100, _UDP_MESSAGE),
    "pipe_cpy": _times(100, _PIPE_MESSAGE),
    "stream_pipe": _times(100, _PIPE_MESSAGE),
    "dgram_pipe": _times(100, _PIPE_MESSAGE),
}
"""The parts of tests without files."""

FILES: Final[Mapping[str, tuple[FileTest, ...]]] = {
    "disk_rd": (FileTest("read"),),
    "disk_rr": (FileTest("read", is_random=True),),
    "disk_wrt": (FileTest("write"),),
    "disk_rw": (FileTest("write", is_random=True),),
    "disk_cp": (FileTest("read"), FileTest("write")),
    "sync_disk_wrt": (FileTest("write", is_sync=True),),
    "sync_disk_rw": (FileTest("write", is_random=True, is_sync=True),),
    "sync_disk_cp": (FileTest("read"), FileTest("write", is_sync=True)),
    # The file is written; then half as many blocks as it has are read and written again.
    "sync_disk_update": (
        FileTest("write"),
        FileTest("read", 50, is_random=True),
        FileTest("write", 50, is_random=True, is_sync=True),
    ),
}
"""The steps of tests with files."""
