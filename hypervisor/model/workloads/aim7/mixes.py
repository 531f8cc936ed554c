"""The mixes of AIM7: how often each test comes, and how large the files are.

Source: workfiles and source of AIM7 (re-aim). Weights that stand for several tests of one kind
(add_double, add_int, ...) are added up, and those of tests that do next to nothing else than
compute are `other`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Mix:
    """A mix: weights by test, and the size of each user's file, which shares a pool with others."""

    weights: Mapping[str, int]
    file_kib: int
    pool_kib: int

    def file_bytes(self, users: int) -> int:
        """Return the size of the file of each of `users`."""
        return (self.file_kib + self.pool_kib // users) * 1024


MIXES: Final[Mapping[str, Mix]] = {
    "shared": Mix(
        {
            "add": 150,
            "div": 50,
            "mul": 100,
            "disk_cp": 20,
            "disk_rd": 20,
            "disk_rr": 20,
            "disk_rw": 20,
            "disk_src": 20,
            "disk_wrt": 20,
            "sync_disk_cp": 10,
            "sync_disk_rw": 10,
            "sync_disk_wrt": 10,
            "exec_test": 20,
            "fork_test": 10,
            "shell_rtns": 20,
            "page_test": 10,
            "brk_test": 10,
            "creat_clo": 10,
            "dir_rtns": 10,
            "link_test": 10,
            "pipe_cpy": 10,
            "stream_pipe": 10,
            "dgram_pipe": 10,
            "tcp_test": 10,
            "udp_test": 10,
            "signal_test": 10,
            "string_rtns": 30,
            "sort_rtns": 10,
            "matrix_rtns": 10,
            "trig_rtns": 10,
            "series": 10,
            "other": 100,
        },
        1024,
        10 * 1024,
    ),
    "compute": Mix(
        {
            "add": 50 + 60,
            "mul": 50 + 30,
            "div": 40 + 30,
            "matrix_rtns": 50,
            "page_test": 50,
            "trig_rtns": 40,
            "series": 40,
            "newton": 40,
            "num_rtns": 40,
            "mem_rtns_1": 40,
            "mem_rtns_2": 40,
            "disk_rd": 30,
            "disk_wrt": 20,
            "disk_cp": 10,
            "disk_src": 10,
            "udp_test": 20,
            "string_rtns": 30,
            "other": 100,
        },
        100,
        250 * 1024,
    ),
    "fserver": Mix(
        {
            "disk_cp": 30,
            "disk_rd": 30,
            "disk_rr": 30,
            "disk_rw": 30,
            "disk_src": 30,
            "disk_wrt": 30,
            "sync_disk_cp": 5,
            "sync_disk_rw": 5,
            "sync_disk_wrt": 5,
            "creat_clo": 20,
            "dir_rtns": 20,
            "link_test": 20,
            "udp_test": 40,
            "mem_rtns_1": 40,
            "add": 100,
            "mul": 50,
            "div": 50,
            "other": 60,
        },
        10 * 1024,
        20 * 1024,
    ),
    "dbase": Mix(
        {
            "disk_rd": 40,
            "disk_rr": 40,
            "mem_rtns_1": 40,
            "mem_rtns_2": 40,
            "page_test": 40,
            "shared_memory": 40,
            "sync_disk_rw": 30,
            "sync_disk_update": 30,
            "sieve": 30,
            "sort_rtns": 30,
            "string_rtns": 30,
            "other": 160,
        },
        1024,
        25 * 1024,
    ),
}
