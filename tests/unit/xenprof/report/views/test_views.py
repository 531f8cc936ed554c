"""Tables, trees and merging, for any profile."""

import numpy as np
import pytest

from tests.support.stack_profiles import (
    CYCLES,
    INSTRUCTIONS,
    MISSES,
    flat,
    for_any,
    profile,
    profiles,
)
from xenprof.profile.stacks import SampleType
from xenprof.report.formats.marked import marked
from xenprof.report.views.merge import merged, only
from xenprof.report.views.paths import paths, relabelled, with_marks
from xenprof.report.views.ratios import main_event, ratios
from xenprof.report.views.table import BY, FIELDS, grouping, table
from xenprof.report.views.tree import positions, preorder, tree


def rows(of, fields=FIELDS) -> dict:
    found = table(of, fields)
    numbers = map(list, zip(found.own.tolist(), found.total.tolist(), strict=True))
    return dict(zip(found.keys, numbers, strict=True))


@pytest.mark.parametrize("by", BY)
@for_any(profiles())
def test_each_sample_is_the_own_sample_of_one_row(by, of):
    assert tuple(table(of, BY[by]).own.sum(axis=0).tolist()) == of.totals


@for_any(profiles())
def test_no_row_has_fewer_in_all_than_of_its_own_nor_more_than_there_are(of):
    found = table(of, FIELDS)
    assert (found.own <= found.total).all()
    assert (found.total <= np.array(of.totals)).all()


def test_a_recursive_stack_counts_once_for_a_row():
    key = ("web", "user", "/usr/sbin/httpd", "parse")
    assert rows(profile(columns=1))[key] == [[43], [43]]


def test_total_is_what_was_called_from_there_in_any_domain():
    assert rows(profile(columns=1), BY["domain"])[("web",)] == [[68], [93]]


def test_rows_by_layer_are_of_the_code_that_was_running():
    assert rows(profile(columns=1), BY["layer"]) == {
        ("hypervisor",): [[20], [45]],
        ("kernel",): [[25], [45]],
        ("user",): [[55], [100]],
    }


def built(of, *, bottom_up=False, fields=FIELDS, collapse=False):
    _, codes = grouping(of.frames, fields)
    along = relabelled(paths(of.stacks), codes, collapse=collapse)
    return tree(along, of.values, bottom_up=bottom_up)


@pytest.mark.parametrize("bottom_up", [False, True])
@for_any(profiles())
def test_a_node_has_its_own_samples_and_those_of_its_children(bottom_up, of):
    found = built(of, bottom_up=bottom_up)
    sums = found.own.copy()
    np.add.at(sums, found.parent[1:], found.total[1:])
    assert (sums == found.total).all()


@pytest.mark.parametrize("bottom_up", [False, True])
@for_any(profiles())
def test_the_root_has_all_samples(bottom_up, of):
    assert tuple(built(of, bottom_up=bottom_up).total[0].tolist()) == of.totals


@for_any(profiles())
def test_the_roots_of_a_bottom_up_tree_are_the_rows_of_the_table(of):
    found = built(of, bottom_up=True)
    top = found.depth == 1
    counts = np.zeros_like(table(of, FIELDS).own)
    counts[found.code[top]] = found.total[top]
    assert (counts == table(of, FIELDS).own).all()


@for_any(profiles())
def test_in_preorder_a_node_comes_right_after_its_parent_or_its_siblings_family(of):
    found = built(of)
    order = preorder(found, 0)
    depths = found.depth[order]
    assert sorted(order.tolist()) == list(range(len(found)))
    assert order[0] == 0
    assert (np.diff(depths) <= 1).all()
    stack: list = []
    for node in order.tolist():
        del stack[found.depth[node] :]
        assert found.parent[node] == (stack[-1] if stack else -1)
        stack.append(node)


@for_any(profiles())
def test_boxes_lie_inside_of_their_parents_and_beside_their_siblings(of):
    found = built(of)
    wide = found.total[:, 0]
    begin = positions(found, wide)
    for node in range(1, len(found)):
        above = found.parent[node]
        assert begin[above] <= begin[node]
        assert begin[node] + wide[node] <= begin[above] + wide[above]
        if node > 1 and found.parent[node - 1] == above:
            assert begin[node] == begin[node - 1] + wide[node - 1]


def test_neighbours_that_became_equal_can_be_one_step():
    along = relabelled(paths([(0, 1, 2), (1, 1)]), np.array([7, 7, 8]), collapse=True)
    assert (along.steps.tolist(), along.lengths.tolist()) == ([7, 8, 7], [2, 1])


def test_a_mark_stands_before_each_run_of_a_group():
    group = np.array([0, 0, 1])
    along = with_marks(paths([(0, 1, 2, 0), (), (2,)]), group, np.array([10, 11]))
    assert along.steps.tolist() == [10, 0, 1, 11, 2, 10, 0, 11, 2]
    assert along.lengths.tolist() == [7, 0, 2]


@for_any(profiles())
def test_marks_change_no_count(of):
    found = marked(of)
    assert tuple(tree(found.paths, of.values).total[0].tolist()) == of.totals


@for_any(profiles(), profiles())
def test_a_merged_profile_has_the_samples_of_both(first, second):
    both = merged([first, second])
    totals = {kind: 0 for kind in (*first.types, *second.types)}
    for one in (first, second):
        for kind, total in zip(one.types, one.totals, strict=True):
            totals[kind] += total
    assert dict(zip(both.types, both.totals, strict=True)) == totals


@for_any(profiles())
def test_merging_twice_changes_nothing_more(of):
    once, twice = merged([of]), merged([merged([of])])
    assert (once.frames, once.stacks, once.values.tolist()) == (
        twice.frames, twice.stacks, twice.values.tolist(),
    )  # fmt: skip


@for_any(profiles())
def test_a_merged_profile_has_each_stack_once_and_sorted(of):
    found = merged([of])
    assert list(found.stacks) == sorted(set(found.stacks))


def test_nothing_merged_is_an_empty_profile():
    assert merged([]).totals == ()


def test_only_some_events_leave_the_stacks_that_have_them():
    assert only(profile(), [2]).stacks == ((0, 1), (0, 2, 3), (0, 2, 3, 4, 5))


def test_cycles_per_instruction_are_of_events_not_of_samples():
    (cpi,) = ratios((CYCLES, INSTRUCTIONS))
    assert (cpi.title, cpi.of(np.array([400, 100]))) == ("CPI", 2.0)


def test_misses_are_per_thousand_instructions():
    (misses,) = ratios((INSTRUCTIONS, MISSES))
    assert misses.of(np.array([10, 20])) == 10.0  # 20 000 of 2 000 000


def test_no_instructions_are_no_ratio():
    (cpi,) = ratios((CYCLES, INSTRUCTIONS))
    assert cpi.of(np.array([400, 0])) is None


@pytest.mark.parametrize(
    ("types", "titles"),
    [
        ((CYCLES,), []),
        ((CYCLES, MISSES), []),
        ((CYCLES, INSTRUCTIONS, MISSES), ["CPI", "BSQ_CACHE_REFERENCE/1000"]),
        (
            (SampleType("CPU_CLK_UNHALTED", 1), SampleType("INST_RETIRED_ANY_P", 1),
             SampleType("DTLB_MISSES", 1)),
            ["CPI", "DTLB_MISSES/1000"],
        ),
        (
            (SampleType("RETIRED_INSTRUCTIONS", 1), SampleType("DATA_CACHE_MISSES", 1)),
            ["DATA_CACHE_MISSES/1000"],
        ),
        ((INSTRUCTIONS, SampleType("BSQ_CACHE_REFERENCE", 1, 0x107)), []),
        ((INSTRUCTIONS, SampleType("BSQ_CACHE_REFERENCE", 1, 0)), []),
        ((INSTRUCTIONS, SampleType("ITLB_REFERENCE", 1, 2)), ["ITLB_REFERENCE/1000"]),
    ],
)  # fmt: skip
def test_what_events_tell_together(types, titles):
    assert [ratio.title for ratio in ratios(types)] == titles


def test_time_is_shown_where_one_event_can_be():
    assert main_event((INSTRUCTIONS, CYCLES)) == 1


def test_a_flat_profile_has_as_many_rows_as_functions():
    assert len(table(flat(), FIELDS).keys) == 6
