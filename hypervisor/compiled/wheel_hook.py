"""The build hook of wheels: compiled where there is a C compiler, pure elsewhere.

XENPROF_PURE=1 asks for a pure wheel, XENPROF_COMPILED=1 fails rather than make one.
"""

import os
import shutil
import sys
from pathlib import Path

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NEEDED = ("mypy[mypyc]>=2.4", "numpy>=1.26")  # the compiler, and what has types of its own


class CompiledWheel(BuildHookInterface[BuilderConfig]):
    """Compiles the model while a wheel is built, and puts the result into it."""

    def dependencies(self) -> list[str]:
        """Return what compiling needs; nothing if nothing will be compiled."""
        return [] if self._why_pure() else [*_NEEDED]

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Compile for a real wheel; an editable installation is compiled by `make`."""
        if version == "editable":
            return
        why = self._why_pure() or self._compile(build_data)
        if why and os.environ.get("XENPROF_COMPILED"):
            raise RuntimeError(f"XENPROF_COMPILED is set, but {why}")
        if why:
            self.app.display_warning(f"a pure wheel: {why}")

    def _why_pure(self) -> str:
        if self.root not in sys.path:
            sys.path.insert(0, self.root)
        from hypervisor.compiled.engine import is_pure_wanted
        from hypervisor.compiled.toolchain import NoCompiler, toolchain

        if is_pure_wanted():
            return "XENPROF_PURE is set"
        try:
            toolchain()
        except NoCompiler as reason:
            return str(reason)
        return ""

    def _compile(self, build_data: dict[str, object]) -> str:
        from hypervisor.compiled.build import build
        from hypervisor.compiled.toolchain import CannotCompile

        folder = Path(self.root) / "build" / "compiled"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            build(folder)
        except CannotCompile as reason:
            return str(reason)
        included = build_data["force_include"]
        assert isinstance(included, dict)
        included[str(folder)] = "hypervisor/compiled/built"
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        return ""
