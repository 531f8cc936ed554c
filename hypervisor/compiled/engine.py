"""Decides whether the model runs compiled or as Python, and hooks the compiled modules in."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from hypervisor.compiled.manifest import Manifest, read

SWITCH = "XENPROF_PURE"
"""Environment variable: any value but these makes the model run as Python."""
_NO = frozenset({"", "0", "no", "false", "off"})


@dataclass(frozen=True)
class Engine:
    """What the hot rooms of the model run as."""

    is_compiled: bool
    reason: str = ""
    """Why they run as Python; empty when they are compiled."""

    @property
    def name(self) -> str:
        """Return `compiled` or `pure`."""
        return "compiled" if self.is_compiled else "pure"


class CompiledModules:
    """Finds the extension modules of one build; stands in `sys.meta_path` of every process that
    has made its choice, also if that is to run Python and it finds nothing.
    """

    def __init__(self, engine: Engine, files: Mapping[str, Path]) -> None:
        """`files` by the full name of the module."""
        self.engine = engine
        self._files = files

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a compiled module is; None for all others, which are found as ever."""
        file = self._files.get(fullname)
        if file is None:
            return None
        return _spec(fullname, file)


def is_pure_wanted() -> bool:
    """Return whether the user asks for Python by the environment variable."""
    return os.environ.get(SWITCH, "").strip().lower() not in _NO


def choose() -> Engine:
    """Return what the model would run as if it were imported now."""
    return _choice()[0]


def install() -> None:
    """Choose, and let the model's modules be found accordingly. To be called before the first."""
    engine, manifest = _choice()
    files = {} if manifest is None else {name: manifest.file_of(name) for name in manifest.modules}
    sys.meta_path.insert(0, CompiledModules(engine, files))


def running() -> Engine:
    """Return what the model of this process runs as; what it would, if it is not imported."""
    chosen = (each.engine for each in sys.meta_path if isinstance(each, CompiledModules))
    return next(chosen, None) or choose()


def _choice() -> tuple[Engine, Manifest | None]:
    manifest = read()
    if is_pure_wanted():
        return Engine(False, f"{SWITCH} is set"), None
    if manifest is None:
        return Engine(False, "not compiled"), None
    if manifest.python not in EXTENSION_SUFFIXES:
        return Engine(False, f"compiled for another Python ({manifest.python})"), None
    changed = manifest.changed()
    if changed is not None:
        return Engine(False, f"{changed} has changed since it was compiled"), None
    lacking = manifest.lacking()
    if lacking is not None:
        return Engine(False, f"what was compiled lacks {lacking}"), None
    try:
        _load(manifest)
    except ImportError as error:  # it needs another C library, say
        return Engine(False, f"cannot be loaded: {error}"), None
    return Engine(True), manifest


def _load(manifest: Manifest) -> None:
    """Load the library that the compiled modules refer to, which does not run any of them."""
    name = manifest.library
    if name not in sys.modules:
        spec = _spec(name, manifest.file_of(name))
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module


def _spec(fullname: str, file: Path) -> ModuleSpec | None:
    return spec_from_file_location(fullname, file, loader=ExtensionFileLoader(fullname, str(file)))
