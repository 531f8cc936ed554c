"""mm/readahead.c's windows: 16, 32, 64, 128, 128 ... KiB for a program that reads 4 KiB at a time."""

from hypervisor.model.storage.readahead import ReadAhead

KIB_PAGE = 4


def windows(reader, pages, count=1):
    found = []
    for page in range(0, pages, count):
        found += [size * KIB_PAGE for _, size in reader.read(page, count)]
    return found


def test_small_reads_in_sequence_get_windows_that_double_up_to_the_maximum():
    assert windows(ReadAhead(), 200)[:6] == [16, 32, 64, 128, 128, 128]


def test_at_most_two_windows_are_ahead_of_the_reader():
    reader = ReadAhead()
    ahead = 0
    for page in range(1000):
        for first, count in reader.read(page, 1):
            ahead = max(ahead, first + count)
        assert page < ahead <= page + 2 * 32 + 1


def test_windows_follow_each_other_without_gap():
    reader = ReadAhead()
    behind = 0
    for page in range(500):
        for first, count in reader.read(page, 1):
            assert first == behind
            behind = first + count


def test_large_reads_begin_with_the_maximum():
    assert windows(ReadAhead(), 64, count=32)[:2] == [128, 128]


def test_a_read_elsewhere_reads_what_it_asks_for():
    reader = ReadAhead()
    assert reader.read(5000, 2) == [(5000, 2)]
    assert reader.read(100, 2) == [(100, 2)]


def test_a_reader_that_comes_back_to_its_place_is_in_sequence_again():
    reader = ReadAhead()
    reader.read(5000, 1)
    assert reader.read(5001, 1) == [(5001, 4), (5005, 8)]


def test_read_ahead_can_be_off():
    assert ReadAhead(0).read(0, 1)[0] == (0, 1)
