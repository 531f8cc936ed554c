from hypervisor.live.agent.pages.exposition import Exposition, Metric


def page(points, *labels, help="Help."):
    metric = Metric("some_total", "counter", help, labels, lambda shown: iter(points))
    return Exposition([metric]).page("h", None).decode()


def test_a_metric_has_a_head_and_a_line_for_each_series():
    assert (
        "# HELP some_total Help.\n# TYPE some_total counter\n"
        'some_total{a="1",host="h"} 5\nsome_total{a="2",host="h"} 0.5\n'
    ) == page([(("1",), 5), (("2",), 0.5)], "a")


def test_labels_are_sorted_with_the_host_among_them():
    assert 'some_total{a="2",host="h",z="1"} 5\n' in page([(("1", "2"), 5)], "z", "a")


def test_what_is_unknown_has_no_line():
    assert page([]) == page([((), None)])


def test_what_would_end_a_value_or_a_line_is_escaped():
    assert r'some_total{a="x\"\\\ny",host="h"} 1' + "\n" in page([(('x"\\\ny',), 1)], "a")
    assert "# HELP some_total a\\\\b\\nc\n" in page([], help="a\\b\nc")


def test_what_is_not_unicode_is_shown():
    assert r'a="\\udc80"' in page([(("\udc80",), 1)], "a")


def test_a_host_that_is_renamed_has_labels_with_its_new_name():
    exposition = Exposition([Metric("m", "gauge", "", (), lambda shown: [((), shown)])])

    assert [b'm{host="a"} 1\n', b'm{host="b"} 2\n'] == [
        exposition.page(host, value).splitlines(keepends=True)[-1]
        for host, value in (("a", 1), ("b", 2))
    ]
