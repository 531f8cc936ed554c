"""xenstore: the tree of texts through which xend, backends and guests communicate.

Source: tools/xenstore/xenstored_core.c, docs/misc/xenstore.txt (3.0.3). Permissions, quotas and
transactions are left out: there is one writer at a time, and all of them are trusted.
"""

from collections.abc import Callable, Iterator

from hypervisor.toolstack.timers import Timers

Watcher = Callable[[str], object]
"""Called with the path that has changed."""

# From a write until the watcher is called: xenstored's poll and an event (judgement).
WATCH_NS = 200_000


class _Node:
    __slots__ = ("children", "value")

    def __init__(self) -> None:
        self.value = ""
        self.children: dict[str, _Node] = {}


class Xenstore:
    """Keeps nodes by their paths, and tells watchers of changes at and below a path."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._root = _Node()
        self._watches: dict[str, list[Watcher]] = {}

    def read(self, path: str) -> str | None:
        """Return the text of a node; None where there is none."""
        node = self._find(path)
        return None if node is None else node.value

    def write(self, path: str, value: object) -> None:
        """Set a node's text; create it and the nodes above it if necessary."""
        node = self._root
        for name in _names(path):
            node = node.children.setdefault(name, _Node())
        node.value = str(value)
        self._tell(path)

    def write_all(self, path: str, values: "dict[str, object]") -> None:
        """Set several nodes below `path`."""
        for name, value in values.items():
            self.write(f"{path}/{name}", value)

    def remove(self, path: str) -> None:
        """Remove a node and all nodes below it, if it exists."""
        *above, last = _names(path)
        parent = self._find("/".join(above))
        if parent is not None and parent.children.pop(last, None) is not None:
            self._tell(path)
            below = f"{path}/"
            for watched in [one for one in self._watches if one.startswith(below)]:
                self._tell_watchers(watched, watched)

    def children(self, path: str) -> list[str]:
        """Return the names below a node, in the order of their creation."""
        node = self._find(path)
        return [] if node is None else list(node.children)

    def walk(self, path: str = "/") -> Iterator[tuple[str, str]]:
        """Yield (path, text) of every node below `path`, depth first."""
        node = self._find(path)
        if node is not None:
            yield from _walk(path.rstrip("/"), node)

    def watch(self, path: str, watcher: Watcher) -> None:
        """Call `watcher(changed path)` a little after each change at or below `path`.

        It is also called when `path` is removed with a node above it, then with `path` itself.
        """
        self._watches.setdefault(path, []).append(watcher)

    def unwatch(self, path: str, watcher: Watcher) -> None:
        """Undo `watch`; events that are pending are still delivered."""
        watchers = self._watches.get(path, [])
        if watcher in watchers:
            watchers.remove(watcher)
            if not watchers:
                del self._watches[path]

    def announce(self, special: str) -> None:
        """Call the watchers of `@introduceDomain` or `@releaseDomain`."""
        self._tell(special)

    def _find(self, path: str) -> _Node | None:
        node = self._root
        for name in _names(path):
            below = node.children.get(name)
            if below is None:
                return None
            node = below
        return node

    def _tell(self, path: str) -> None:
        names = path.split("/")
        for length in range(len(names), 0, -1):
            self._tell_watchers("/".join(names[:length]), path)

    def _tell_watchers(self, watched: str, path: str) -> None:
        for watcher in self._watches.get(watched, ()):
            self._timers.schedule(self._timers.now + WATCH_NS, _deliver, (watcher, path))


def _deliver(event: tuple[Watcher, str]) -> None:
    watcher, path = event
    watcher(path)


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name]


def _walk(path: str, node: _Node) -> Iterator[tuple[str, str]]:
    for name, below in node.children.items():
        yield f"{path}/{name}", below.value
        yield from _walk(f"{path}/{name}", below)
