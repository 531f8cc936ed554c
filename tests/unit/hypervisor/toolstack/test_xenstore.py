import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.timing.clock import Clock
from hypervisor.toolstack.xenstore import WATCH_NS, Xenstore


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return Xenstore(clock)


@pytest.fixture
def told(store, clock):
    """Return what a watcher of /local/domain/3 was told; it looks shortly after each change."""
    paths: list[str] = []
    store.watch("/local/domain/3", paths.append)
    return paths


def settle(clock):
    clock.run_until(clock.now + WATCH_NS)


def test_what_was_written_is_read_as_text(store):
    store.write("/local/domain/3/memory/target", 131072)

    assert store.read("/local/domain/3/memory/target") == "131072"


def test_nodes_above_one_that_is_written_come_into_being_empty(store):
    store.write("/a/b/c", 1)

    assert (store.read("/a/b"), store.read("/a/x"), store.read("/x")) == ("", None, None)


def test_a_node_goes_with_all_below_it(store):
    store.write("/a/b/c", 1)
    store.remove("/a/b")

    assert list(store.walk()) == [("/a", "")]


def test_removing_what_is_not_there_does_nothing(store):
    store.write("/a", 1)
    store.remove("/b/c")

    assert store.children("/") == ["a"]


def test_children_are_names_in_the_order_in_which_they_came(store):
    for name in ("b", "a", "c"):
        store.write(f"/x/{name}", "")
    store.write("/x/b", 2)

    assert store.children("/x") == ["b", "a", "c"]


def test_a_walk_is_depth_first(store):
    store.write_all("/a", {"b": 1, "c/d": 2, "e": 3})

    assert list(store.walk("/a")) == [("/a/b", "1"), ("/a/c", ""), ("/a/c/d", "2"), ("/a/e", "3")]


@pytest.mark.parametrize("path", ["", "/name", "/device/vbd/51712/state"])
def test_a_watch_tells_of_its_node_and_all_below(store, clock, told, path):
    store.write(f"/local/domain/3{path}", 1)
    settle(clock)

    assert told == [f"/local/domain/3{path}"]


@pytest.mark.parametrize("path", ["/local/domain", "/local/domain/33/name", "/local/domain/4"])
def test_a_watch_tells_of_nothing_else(store, clock, told, path):
    store.write(path, 1)
    settle(clock)

    assert told == []


def test_a_watch_tells_a_little_later_and_not_at_once(store, clock, told):
    store.write("/local/domain/3/name", 1)
    clock.run_until(clock.now + WATCH_NS - 1)

    assert told == []


def test_a_watch_tells_of_a_node_that_goes(store, clock, told):
    store.write("/local/domain/3/name", 1)
    settle(clock)
    store.remove("/local/domain/3/name")
    settle(clock)

    assert told == ["/local/domain/3/name"] * 2


def test_a_watch_tells_when_a_node_above_it_goes(store, clock, told):
    store.write("/local/domain/3/name", 1)
    settle(clock)
    store.remove("/local/domain")
    settle(clock)

    assert told[1:] == ["/local/domain/3"]


def test_who_unwatches_is_told_no_more(store, clock, told):
    store.unwatch("/local/domain/3", told.append)
    store.write("/local/domain/3/name", 1)
    settle(clock)

    assert told == []


def test_special_names_are_announced_to_those_who_watch_them(store, clock):
    heard: list[str] = []
    store.watch("@releaseDomain", heard.append)
    store.announce("@introduceDomain")
    store.announce("@releaseDomain")
    settle(clock)

    assert heard == ["@releaseDomain"]


def test_a_watcher_may_write_in_its_turn(store, clock):
    store.watch("/a", lambda path: store.write("/b", store.read(path)))
    store.write("/a", 1)
    settle(clock)

    assert store.read("/b") == "1"


names = st.sampled_from(["a", "b", "c"])
paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
changes = st.lists(st.tuples(st.sampled_from(["write", "remove"]), paths, st.integers(0, 9)))


@given(changes)
def test_the_tree_is_what_a_plain_dictionary_of_paths_would_be(steps):
    store = Xenstore(Clock())
    known: dict[str, str] = {}
    for step, path, value in steps:
        if step == "write":
            store.write(path, value)
            parts = path.split("/")[1:]
            for length in range(1, len(parts)):
                known.setdefault("/" + "/".join(parts[:length]), "")
            known[path] = str(value)
        else:
            store.remove(path)
            known = {
                one: text
                for one, text in known.items()
                if one != path and not one.startswith(f"{path}/")
            }

    assert dict(store.walk()) == known
