from hypothesis import given
from hypothesis import strategies as st

from hypervisor.model.storage.pagecache import PageCache

extent = st.tuples(st.integers(0, 300), st.integers(1, 90))
FOREVER = 1 << 62


def cache(room=10_000):
    return PageCache(lambda: room)


@given(st.lists(st.tuples(extent, st.booleans()), max_size=20))
def test_pages_are_a_set_and_dirty_ones_part_of_it(steps):
    held, dirty, found = set(), set(), cache()
    for (page, count), is_write in steps:
        pages = range(page, page + count)
        held |= set(pages)
        if is_write:
            dirty |= set(pages)
            found.write(page, count, 0)
        else:
            found.add(page, count)
    assert (len(held), len(dirty)) == (found.pages, found.dirty_pages)
    for page in range(0, 400, 7):
        run = 0
        while page + run in held:
            run += 1
        assert min(run, 50) == found.run(page, 50)
    taken = found.take_dirty(0, 10**6, FOREVER)
    assert sorted(dirty) == [page + n for page, count in taken for n in range(count)]
    assert found.dirty_pages == 0


def test_what_was_not_touched_for_longest_goes_first():
    found = cache(room=96)
    for chunk in (0, 1, 2):
        found.add(32 * chunk, 32)
    found.run(0, 1)
    found.add(96, 32)
    assert [found.run(32 * chunk, 32) for chunk in range(4)] == [32, 0, 32, 32]


def test_dirty_pages_stay_until_they_are_written():
    found = cache(room=32)
    found.write(0, 32, 0)
    found.add(32, 32)
    found.add(64, 32)
    assert found.run(0, 32) == 32


def test_old_pages_are_taken_in_order_from_where_the_last_write_ended():
    found = cache()
    for page, now in ((0, 5), (64, 5), (128, 9)):
        found.write(page, 8, now)
    assert found.take_dirty(64, 1000, 5) == [(64, 8), (0, 8)]
    assert found.dirty_pages == 8
