"""Reads small files of the kernel again and again, through descriptors that stay open."""

import os
import resource
from typing import Dict, List, Optional, Sequence, Set

_SHARE = 4  # one in so many descriptors that this process may have


class KeptFiles:
    """Files that are read in each poll. Beyond a limit they are opened each time."""

    def __init__(self, most: Optional[int] = None) -> None:
        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._most = allowed // _SHARE if most is None else most
        self._open: Dict[str, int] = {}
        self._read: Set[str] = set()

    def read(self, paths: Sequence[str], size: int) -> List[Optional[bytes]]:
        """Return the first `size` bytes of files; None where one cannot be read, or no longer."""
        found: List[Optional[bytes]] = []
        self._read.update(paths)
        for path in paths:
            descriptor = self._open.get(path)
            try:
                if descriptor is None:
                    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                    self._open[path] = descriptor
                found.append(os.pread(descriptor, size, 0))
            except OSError:
                self._close(path)
                found.append(None)
            if len(self._open) > self._most:
                self._close(path)
        return found

    def sweep(self) -> None:
        """Close the files that were not read since the last sweep."""
        for path in set(self._open) - self._read:
            self._close(path)
        self._read.clear()

    def _close(self, path: str) -> None:
        descriptor = self._open.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)
