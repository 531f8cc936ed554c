"""Reads and checks `callchains.toml`: which functions are on the stack when another one runs.

A chain consists of a spine (the way into the code of an op in a path) and the usual callers of a
function up to the nearest one that is on the spine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

from hypervisor.errors import TableError
from hypervisor.model.codebook.costs import CHECK_CTRS, Costs
from hypervisor.model.codebook.images import Image
from hypervisor.telemetry import Mode

NOTIFY = "evtchn_send"
"""The path whose caller was settled before it: the kernel pays for it later."""
ASKS = ("ask_network", "write_file", "read_file", "swap_in", "swap_out")
"""Situations in which a domain asks domain 0 for something."""
_KERNEL = "vmlinux"
_XEN = "xen"
_ENTRY = (_XEN, "syscall_enter")
_HYPERCALL = (_KERNEL, "hypercall_page")
_OTHERWISE = ""
_DEEPEST = 100

Function = tuple[str, str]
"""(image key, name)."""
Chain = tuple[tuple[int, Function], ...]
"""(domid, function), outermost first."""


class ChainTableError(TableError):
    """Says that callchains.toml cannot be used; the message names the row."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a domain did when it last made a request to domain 0. `program`: image key or ""."""

    situation: str = _OTHERWISE
    program: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """The situation of a segment: everything that a chain depends on except path, op and function.

    `asker` is the domain that domain 0 works for (-1: none), `asked` what that domain did.
    `notifies` is what the vcpu did before, when the path is the notification. `depth` is the
    largest number of callers that are recorded.
    """

    domid: int
    depth: int
    now: Asking = Asking()
    asker: int = -1
    asked: Asking = Asking()
    notifies: Asking = Asking()


@dataclass(frozen=True, slots=True)
class _Caller:
    function: Function
    is_optional: bool


@dataclass(frozen=True, slots=True)
class _Spine:
    calls: tuple[Function, ...] = ()
    under: str = ""
    cause: str = ""
    is_cause_in_asker: bool = False
    by: Mapping[str, str] | None = None


class Chains:
    """Holds the checked table. Raises: ChainTableError."""

    def __init__(
        self,
        images: Mapping[str, Image],
        costs: Costs,
        text: str | None = None,
        functions: Mapping[str, str] | None = None,
    ) -> None:
        """Read `text`, by default the packaged callchains.toml.

        `functions` are those of Xen that take the place of others on the host's processor.
        """
        if text is None:
            text = Path(__file__).with_name("callchains.toml").read_text("utf-8")
        data = tomli.loads(text)
        self._images = images
        self._functions_here = dict(functions or {})
        # Of several that one function stands for, the first in the table.
        self._usual = {here: usual for usual, here in reversed(self._functions_here.items())}
        self._costs = costs
        self._roots = {self._function(word, _KERNEL) for word in data["roots"].split()}
        self.situations: dict[str, tuple[str, ...]] = {
            name: tuple(paths.split()) for name, paths in data["situation"]
        }
        self._callers: dict[Function, tuple[_Caller, ...]] = {}
        for image, rows in data["callers"].items():
            for name, words in rows.items():
                function = self._function(name, image)
                self._callers[function] = tuple(
                    _Caller(self._function(word.rstrip("?"), image), word.endswith("?"))
                    for word in words.split()
                )
        self._programs = {n: self._calls(words, n) for n, words in data["program"].items()}
        self._spines = {n: self._spine(n, row) for n, row in data["spine"].items()}
        self._places: dict[str, str | Mapping[str, str]] = dict(data["place"])
        self._add_twins()
        self._check()

    # -- reading -----------------------------------------------------------------------------

    def _function(self, word: str, image: str) -> Function:
        key, colon, name = word.rpartition(":")
        key = key if colon else image
        if key not in self._images:
            raise ChainTableError(f"callchains.toml: {word}: unknown image {key!r}")
        if name not in self._images[key].symbols:
            path = self._images[key].path
            raise ChainTableError(f"callchains.toml: no function {name} in {path}")
        return key, name

    def _calls(self, text: str, image: str) -> tuple[Function, ...]:
        return tuple(self._function(word.strip(), image) for word in text.split(">") if word)

    def _spine(self, name: str, row: Mapping[str, Any]) -> _Spine:
        unknown = row.keys() - {"calls", "under", "cause", "cause_in", "by"}
        if unknown or ("by" in row) == ("calls" in row) or ("cause" in row) != ("cause_in" in row):
            raise ChainTableError(f"callchains.toml: [spine.{name}]: its keys do not fit together")
        return _Spine(
            self._calls(row.get("calls", ""), _KERNEL),
            row.get("under", ""),
            row.get("cause", ""),
            row.get("cause_in") == "asker",
            row.get("by"),
        )

    def _add_twins(self) -> None:
        """Give paths of HVM guests the places of those that they stand for.

        Exits begin stacks of their own, so that ops without a place need none.
        Raises: ChainTableError.
        """
        own = {name for name, row in self._costs.paths.items() if not row.like}
        if missing := sorted(own ^ self._places.keys()):
            raise ChainTableError(f"callchains.toml: [place]: missing or unknown: {missing[0]}")
        for name, row in self._costs.paths.items():
            if not row.like:
                continue
            place = self._places[row.like]
            if not isinstance(place, str) and _OTHERWISE not in place:
                functions = {one for op in row.ops for _, one in self._functions(op)}
                known = {*row.ops, *functions, "all"}
                place = {"all": "bare"} | {key: to for key, to in place.items() if key in known}
            self._places[name] = place
            for situation, paths in self.situations.items():
                if row.like in paths:
                    self.situations[situation] = (*paths, name)

    def _check(self) -> None:
        """Check that every name exists. Raises: ChainTableError."""
        for path, place in self._places.items():
            ops = self._costs.paths[path].ops
            keys = {_OTHERWISE} if isinstance(place, str) else place.keys()
            if _OTHERWISE in keys:
                known = self.situations.keys() | {_OTHERWISE}
            else:
                functions = {name for op in ops for _, name in self._functions(op)}
                known = {*ops, "all"} | functions
                if "all" not in keys and (missing := sorted(ops.keys() - keys)):
                    raise ChainTableError(f"callchains.toml: [place] {path} lacks {missing[0]}")
            if unknown := sorted(keys - known):
                raise ChainTableError(f"callchains.toml: [place] {path}: unknown {unknown[0]!r}")
            names = [place] if isinstance(place, str) else list(place.values())
            for name in names:
                self._check_spine(name, path, 0)
        for path in (name for names in self.situations.values() for name in names):
            if path not in self._costs.paths:
                raise ChainTableError(f"callchains.toml: situation: unknown path {path!r}")

    def _check_spine(self, name: str, where: str, depth: int) -> None:
        spine = self._spines.get(name)
        if spine is None or depth > _DEEPEST:
            raise ChainTableError(f"callchains.toml: {where}: no spine {name!r}, or it has no end")
        for other in (*(spine.by or {}).values(), spine.under, spine.cause):
            if other not in ("", "program"):
                self._check_spine(other, f"[spine.{name}]", depth + 1)

    # -- chains ------------------------------------------------------------------------------

    def program_of(self, path: str) -> str:
        """Return the image key of the program at this path in the domain, "" if there is none."""
        return next((key for key in self._programs if self._images[key].path == path), "")

    def chain(self, path: str, op: str, function: Function, situation: Situation) -> Chain:
        """Return the chain of callers of `function` in `op` of `path`; it is itself the last."""
        image, name = function
        usual = self._usual.get(name, name) if image == _XEN else name
        chain = self._usual_chain(path, op, (image, usual), situation)
        here: list[tuple[int, Function]] = []
        for domid, (image, name) in chain:
            one = (image, self._functions_here.get(name, name) if image == _XEN else name)
            if not here or here[-1] != (domid, one):
                here.append((domid, one))
        return tuple(here)

    def _usual_chain(self, path: str, op: str, function: Function, situation: Situation) -> Chain:
        now = situation.notifies if path == NOTIFY else situation.now
        own_program = self._costs.paths[path].program
        if own_program is not None and own_program.key != now.program:
            now = Asking(now.situation, own_program.key)
        name = self._place(path, op, function[1], now)
        prefix, spine = self._along(name, situation.domid, now, situation.asker, situation.asked)
        own = self._below(function, spine, self._functions(op))
        return (*prefix, *((situation.domid, one) for one in own))

    def _place(self, path: str, op: str, name: str, now: Asking) -> str:
        place = self._places[path]
        if isinstance(place, str):
            return place
        if _OTHERWISE in place:
            return place.get(now.situation, place[_OTHERWISE])
        return next(place[key] for key in (name, op, "all") if key in place)

    def _functions(self, op: str) -> frozenset[Function]:
        row = self._costs.ops[op]
        names = {
            function
            for symbol in row.symbols
            for function in (
                [cpu.check_ctrs for cpu in self._costs.cpus.values()]
                if symbol == CHECK_CTRS
                else [symbol]
            )
        }
        return frozenset((row.image.key, name) for name in names)

    def _along(
        self, name: str, domid: int, now: Asking, asker: int, asked: Asking
    ) -> tuple[Chain, tuple[Function, ...]]:
        """Return the frames of other domains that led to a spine, and the spine itself."""
        spine = self._spines[name]
        if spine.by is not None:
            chosen = spine.by.get(now.situation, spine.by[_OTHERWISE])
            return self._along(chosen, domid, now, asker, asked)
        prefix: Chain = ()
        base: tuple[Function, ...] = ()
        if spine.under == "program":
            base = self._programs.get(now.program, ())
        elif spine.under:
            prefix, base = self._along(spine.under, domid, now, asker, asked)
        if spine.cause:
            prefix = self._cause(spine, domid, asker, asked)
        return prefix, base + spine.calls

    def _cause(self, spine: _Spine, domid: int, asker: int, asked: Asking) -> Chain:
        if spine.is_cause_in_asker:
            where, now = asker, asked
            if asker < 0 or asked.situation == _OTHERWISE:
                return ()
        else:
            where, now = 0, Asking()
        if where == domid:
            return ()
        prefix, calls = self._along(spine.cause, where, now, -1, Asking())
        return (*prefix, *((where, one) for one in calls))

    def _below(
        self, function: Function, spine: tuple[Function, ...], op: frozenset[Function]
    ) -> tuple[Function, ...]:
        """Return the whole chain of a function of an op below a spine."""
        at = {one: index for index, one in enumerate(spine)}
        index, path = self._climb(function, at, op, frozenset())
        if index >= 0:
            return (*spine[: index + 1], *path)
        root = path[0]
        if root in self._roots:
            return path
        if root == _ENTRY and spine and self._images[spine[-1][0]].mode == Mode.KERNEL:
            spine = (*spine, _HYPERCALL)
        return (*spine, *path)

    def _climb(
        self,
        function: Function,
        at: Mapping[Function, int],
        op: frozenset[Function],
        seen: frozenset[Function],
    ) -> tuple[int, tuple[Function, ...]]:
        """Return a function's nearest caller on the spine (-1: none), and those in between."""
        if function in at:
            return at[function], ()
        callers = [one for one in self._callers.get(function, ()) if one.function not in seen]
        for caller in callers:
            if caller.function in at:
                return at[caller.function], (function,)
        otherwise: tuple[Function, ...] | None = None
        for caller in callers:
            if caller.is_optional and caller.function not in op:
                continue
            index, path = self._climb(caller.function, at, op, seen | {function})
            if index >= 0:
                return index, (*path, function)
            if otherwise is None:
                otherwise = path
        return -1, (*(otherwise or ()), function)
