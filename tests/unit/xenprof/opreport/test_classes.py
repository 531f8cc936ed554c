import pytest

from xenprof.opreport.classes import Merge, classify, parse_merge
from xenprof.opreport.errors import ReportError
from xenprof.profile.flat import ImageName, SampleKey

PROG = ImageName("root", "/prog")


def key(event="CYCLES", count=100, mask=0, tgid=None, tid=None, cpu=None):
    return SampleKey(PROG, PROG, event, count, mask, tgid, tid, cpu)


COLUMNS = {
    "one class counts events": ([key(cpu=3)], "", ["CYCLES:100"]),
    "events by name": ([key("INSNS"), key("CYCLES")], "", ["CYCLES:100", "INSNS:100"]),
    "counts as strings": ([key(count=90), key(count=100)], "", ["CYCLES:100", "CYCLES:90"]),
    "cpus as numbers": ([key(cpu=10), key(cpu=9)], "", ["cpu:9", "cpu:10"]),
    "all comes last": ([key(cpu=None), key(cpu=9)], "", ["cpu:9", "cpu:all"]),
    "merged cpus": ([key(cpu=1), key(cpu=2)], "cpu", ["CYCLES:100"]),
    "processes": ([key(tgid=1), key(tgid=2)], "", ["tgid:1", "tgid:2"]),
    "single threads": ([key(tgid=1, tid=1), key(tgid=2, tid=2)], "", ["tid:1", "tid:2"]),
    "merged threads": ([key(tgid=1, tid=2), key(tgid=2, tid=3)], "tid", ["tgid:1", "tgid:2"]),
    "merged processes": ([key(tgid=1, tid=2), key(tgid=2, tid=3)], "tgid", ["CYCLES:100"]),
    "merged masks": ([key(mask=1), key(mask=2)], "unitmask", ["CYCLES:100"]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_files_make_a_column_for_each_place_on_one_axis(name):
    keys, merge, expected = COLUMNS[name]
    classes = classify(keys, parse_merge(merge))
    assert [classes.column_name(i) for i in range(len(classes.columns))] == expected


@pytest.mark.parametrize(
    "keys",
    [
        [key("INSNS", cpu=1), key(cpu=2)],
        [key(tgid=1, tid=2), key(tgid=3, tid=4)],
        [key(tgid=1, cpu=2), key(tgid=3, cpu=4)],
    ],
)
def test_two_axes_are_one_too_many(keys):
    with pytest.raises(ReportError, match=r"^Already displaying results for parameter "):
        classify(keys, Merge())


def test_library_is_another_word_for_lib():
    assert parse_merge("library,cpu") == Merge(lib=True, cpu=True)
