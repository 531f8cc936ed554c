"""The kernel of fully virtualized guests, which is another image than the one that knows Xen.

Code is the same in both by name, but for what the native kernel has instead (`symbols.toml`), so
that a path is one path: where a sample of such a guest falls into the other kernel, it is moved.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hypervisor.model.codebook.images import Image, Symbol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Function = tuple[str, str]
"""The key of an image, and a name in it."""

OTHER, NATIVE = "vmlinux", "native"


class NativeKernels:
    """The domains with a native kernel, and where in it their code is."""

    def __init__(self, images: Mapping[str, Image]) -> None:
        self._images = images
        self.domids: set[int] = set()  # also of those that have ended, until the id is given again

    def function(self, domid: int, function: Function) -> Function:
        """Return the function that a domain executes under the name of one."""
        key, name = function
        if key != OTHER or domid not in self.domids:
            return function
        return self._instead(name)

    def _instead(self, name: str) -> Function:
        """Return what a native kernel has for a function.

        Of some that only Xen's kernel has, it has nothing (an empty name in `symbols.toml`): no HVM
        guest executes them. Each still needs a place, and that is the first function.
        """
        native = self._images[NATIVE]
        other = native.instead.get(name, name)
        key, _, found = other.rpartition(":")
        return (key or NATIVE, found) if other else (NATIVE, next(iter(native.symbols)))

    def move(
        self, domid: "npt.NDArray[np.int64]", pc: "npt.NDArray[np.uint64]"
    ) -> "npt.NDArray[np.uint64]":
        """Return the pcs of samples, those of the domains in their own kernel."""
        if not self.domids:
            return pc
        import numpy as np

        kernel = self._images[OTHER]
        inside = np.isin(domid, list(self.domids))
        inside &= (pc >= np.uint64(kernel.address)) & (pc < np.uint64(kernel.address + kernel.size))
        rows = np.flatnonzero(inside)
        if not len(rows):
            return pc
        old = list(kernel.symbols.values())
        new = [self._symbol(symbol.name) for symbol in old]
        starts = np.array([symbol.address for symbol in old], np.uint64)
        of = np.searchsorted(starts, pc[rows], side="right") - 1
        sizes = np.array([symbol.size for symbol in new], np.uint64)
        moved = pc.copy()
        offset = (pc[rows] - starts[of]) % sizes[of]
        moved[rows] = np.array([symbol.address for symbol in new], np.uint64)[of] + offset
        return moved

    def _symbol(self, name: str) -> Symbol:
        key, found = self._instead(name)
        return self._images[key].symbols[found]
