"""Demangles the names of C++ functions as GNU's tools do.

The system's libstdc++ does it, which has the code of opreport's libiberty; where there is none,
LLVM's demangler (pycxxfilt), turned to the same style.

A name of 300 letters can stand for gigabytes: parts refer to earlier parts. So names with many
references go to a process of their own, which has little memory, and stay mangled if they are
too large for it.
"""

import atexit
import re
import subprocess
import sys
from functools import cache

from xenprof.images.cxxabi import by_libstdcxx, by_llvm, has_libstdcxx

_REFERENCE = re.compile(r"S[0-9A-Z]*_|T[0-9A-Z]*_")
_MOST_REFERENCES = 24
"""Three references to the same earlier part triple it: 24 make at most 3^8 copies."""

_LONGEST = 1 << 14
_MOST_HELPERS = 3
_CONSTRUCTORS = re.compile(r"_GLOBAL_[._$][DI]_")


def demangle(name: str) -> str:
    """Return a symbol's name demangled; a name that is not mangled is unchanged.

    A leading dot (of code on PowerPC) is ignored. What compilers append to copies of functions
    is shown as in `f(int) [clone .isra.0]`.
    """
    plain = name.removeprefix(".")
    if not plain.startswith("_Z") and not _CONSTRUCTORS.match(plain):
        return name
    if len(plain) > _LONGEST or not plain.isprintable() or not plain.isascii():
        return name
    if len(_REFERENCE.findall(plain)) > _MOST_REFERENCES:
        return _helper().demangle(plain) or name
    return _demangled(plain) or name


def _demangled(name: str) -> str:
    """Return the demangled name; empty if it is not mangled."""
    return by_libstdcxx(name) if has_libstdcxx() else by_llvm(name)


_HELPER = """
import resource, sys, time
from xenprof.images.cxxabi import by_libstdcxx, by_llvm, has_libstdcxx
demangled = by_libstdcxx if has_libstdcxx() else by_llvm
demangled("_Z1fv")
most = 256 << 20
resource.setrlimit(resource.RLIMIT_AS, (most, most))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
for line in sys.stdin:
    end = int(time.process_time()) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))
    try:
        text = demangled(line[:-1])
    except MemoryError:
        text = ""
    print(text if len(text) < 1 << 16 else "", flush=True)
"""


class _Helper:
    """A process that demangles names, and that a name may kill."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._started = 0

    def demangle(self, name: str) -> str:
        """Return the demangled name; empty if it is not mangled or too large."""
        process = self._process
        if process is None:
            if self._started == _MOST_HELPERS:
                return ""
            self._started += 1
            code = f"import sys; sys.path[:] = {sys.path!r}\n{_HELPER}"
            process = self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", code],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(f"{name}\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        if not answer.endswith("\n"):
            self.close()
        return answer.removesuffix("\n")

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


@cache
def _helper() -> _Helper:
    helper = _Helper()
    atexit.register(helper.close)
    return helper
