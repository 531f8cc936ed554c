"""The contents of a slice: differences of sessions."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.homes import session, write, write_home
from tests.support.known_sessions import PROG, VMLINUX, own
from tests.support.stack_profiles import BEFORE, profile, scaled
from xenprof.history.collector import Collector, Cut, stacks_growth
from xenprof.history.symbolising import Symboliser
from xenprof.profile.stacks import Frame
from xenprof.report.sessions.places import named_session
from xenprof.report.sessions.reading import read_place
from xenprof.report.views.merge import merged
from xenprof.store.unseen import write_unseen

_clock = itertools.count(1_000)


def no_warning(line: str) -> None:
    raise AssertionError(line)


def fill(home: Path, counts: Mapping[int, int], domain: str = "web") -> None:
    """Write samples in its kernel to a domain's session, as a later dump does."""
    write(home, domain, (own(VMLINUX, counts),))
    for path in session(home, domain).rglob("*"):
        if path.is_file():
            os.utime(path, (next(_clock), next(_clock)))


def total(cut: Cut) -> int:
    return sum(
        file.total for part in cut.parts if part.files is not None for file in part.files.files
    )


def totals(cut: Cut) -> dict[Frame, int]:
    made = Symboliser("h", no_warning).profile(cut, 1, 2)
    return {
        made.frames[stack[0]]: int(row.sum())
        for stack, row in zip(made.stacks, made.values, strict=True)
    }


@pytest.fixture
def collector(tmp_path: Path) -> Collector:
    write_home(tmp_path)
    shutil.rmtree(session(tmp_path, "web"))
    return Collector(tmp_path, no_warning)


def test_what_was_there_before_is_no_part_of_it(collector: Collector):
    collector.forget()

    assert collector.collect().parts == ()


def test_a_whole_session_is_what_a_report_of_it_says(tmp_path: Path):
    home = write_home(tmp_path)
    reported = read_place(named_session(home, "current"), warn=no_warning)

    made = Symboliser("h", no_warning).profile(Collector(home, no_warning).collect(), 1, 2)

    assert (made.frames, made.stacks, made.values.tolist()) == (
        reported.frames,
        reported.stacks,
        reported.values.tolist(),
    )


def test_a_slice_knows_its_host_and_its_time(tmp_path: Path):
    cut = Collector(write_home(tmp_path), no_warning).collect()

    made = Symboliser("grumble", no_warning).profile(cut, 5_000, 7_000)

    assert (made.host, made.start_unix_ns, made.duration_ns) == ("grumble", 5_000, 2_000)


def test_a_new_session_is_all_new(collector: Collector, tmp_path: Path):
    collector.forget()
    fill(tmp_path, {0: 10})

    assert total(collector.collect()) == 10


def test_only_what_was_added_is_new(collector: Collector, tmp_path: Path):
    fill(tmp_path, {0: 10})
    collector.forget()
    fill(tmp_path, {0: 12, 0x100: 1})

    assert total(collector.collect()) == 3


def test_after_a_reset_what_is_there_is_new(collector: Collector, tmp_path: Path):
    fill(tmp_path, {0: 10})
    collector.forget()
    shutil.rmtree(session(tmp_path, "web") / "{root}")
    fill(tmp_path, {0: 4})

    assert total(collector.collect()) == 4


def test_what_a_reset_left_behind_is_old_if_it_is_told(collector: Collector, tmp_path: Path):
    fill(tmp_path, {0: 10})
    collector.collect()
    shutil.rmtree(session(tmp_path, "web") / "{root}")
    collector.forget()
    fill(tmp_path, {0: 40})

    assert total(collector.collect()) == 40


def test_a_renamed_domain_goes_on(collector: Collector, tmp_path: Path):
    fill(tmp_path, {0: 10})
    collector.forget()
    (tmp_path / "domains/web").rename(tmp_path / "domains/shop")
    fill(tmp_path, {0: 13}, "shop")

    assert total(collector.collect()) == 3


def test_a_saved_session_is_followed_by_a_new_one(collector: Collector, tmp_path: Path):
    fill(tmp_path, {0: 10})
    collector.forget()
    session(tmp_path, "web").rename(session(tmp_path, "web", "kept"))
    fill(tmp_path, {0: 30})

    assert total(collector.collect()) == 30


def test_losses_are_told_with_the_next_samples(collector: Collector, tmp_path: Path):
    stats = session(tmp_path, "web") / "stats/event_lost_overflow"
    fill(tmp_path, {0: 1})
    stats.parent.mkdir()
    stats.write_text("5\n")
    collector.forget()
    stats.write_text("9\n")
    collector.collect()
    fill(tmp_path, {0: 2})
    (part,) = collector.collect().parts

    assert part.lost == {"event_buffer_overflow": 4}


def lost_later(collector: Collector, home: Path, before: str, later: str) -> Mapping[str, int]:
    """Return the losses of a history that begins when web's session has lost samples only."""
    session(home, "web").mkdir(parents=True)
    write_unseen(session(home, "web"), before.splitlines())
    collector.begin()
    fill(home, {0: 7})
    write_unseen(session(home, "web"), [later])
    (part,) = collector.collect().parts
    return {reason: count for reason, count in part.lost.items() if count}


def test_what_was_lost_before_it_began_is_no_part_of_it(collector: Collector, tmp_path: Path):
    found = lost_later(
        collector, tmp_path, "lost_reasons filtered=19087", "lost_reasons filtered=19090"
    )
    assert found == {"filtered": 3}


def test_what_was_left_unread_before_it_began_is_no_part_of_it(
    collector: Collector, tmp_path: Path
):
    found = lost_later(
        collector,
        tmp_path,
        "lost_reasons filtered=2\nunread_samples 5",
        "lost_reasons filtered=3,never_read=5",
    )
    assert found == {"filtered": 1}


def test_a_damaged_file_is_told_once_and_left_out(tmp_path: Path):
    home = write_home(tmp_path)
    shutil.rmtree(session(home, "Domain-0"))
    bad = next(path for path in session(home, "web").rglob("*") if path.is_file())
    bad.write_bytes(b"no sample file")
    told: list[str] = []
    collector = Collector(home, told.append)
    collector.collect()
    collector.collect()

    assert [str(bad) in line for line in told] == [True]


increments = st.lists(
    st.dictionaries(st.sampled_from([0, 0x10, 0x100, 0x200]), st.integers(1, 50)), max_size=5
)


@settings(deadline=None, max_examples=25)
@given(increments)
def test_slices_add_up_to_the_session(rounds: list[dict[int, int]]):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        collector = Collector(home, no_warning)
        sums: dict[int, int] = {}
        found = 0
        for gained in rounds:
            for offset, count in gained.items():
                sums[offset] = sums.get(offset, 0) + count
            if sums:
                fill(home, sums)
            cut = collector.collect()
            assert total(cut) == sum(gained.values())
            found += total(cut)

        assert found == sum(sums.values())


def test_stacks_grow_by_their_difference():
    before, now = profile(BEFORE), profile(scaled(BEFORE, 3))

    grown = stacks_growth(replace(before, lost={"a": 2}), replace(now, lost={"a": 2, "b": 1}))

    assert (sorted(grown.totals), grown.lost) == (
        sorted(2 * each for each in before.totals),
        {"b": 1},
    )


def test_stacks_in_another_order_grow_by_the_same_difference():
    before, now = profile(BEFORE), profile(scaled(BEFORE, 3))
    turned = replace(now, stacks=now.stacks[::-1], values=now.values[::-1])

    in_order = merged([stacks_growth(before, now)])
    in_another = merged([stacks_growth(before, turned)])

    assert (in_order.frames, in_order.stacks) == (in_another.frames, in_another.stacks)
    assert in_order.values.tolist() == in_another.values.tolist()


def test_stacks_that_came_at_the_end_are_new():
    now = profile()
    before = replace(now, stacks=now.stacks[:4], values=now.values[:4])

    assert sorted(stacks_growth(before, now).totals) == sorted(now.values[4:].sum(axis=0))


def test_stacks_that_fell_are_new():
    now = profile(BEFORE)

    assert stacks_growth(profile(scaled(BEFORE, 2)), now) is now


def test_stacks_that_did_not_change_have_gained_nothing():
    grown = stacks_growth(profile(), profile())

    assert grown.stacks == ()
    assert grown.values.size == 0


def test_own_programs_of_two_domains_stay_apart(tmp_path: Path):
    home = write_home(tmp_path)
    for domain in ("Domain-0", "web"):
        shutil.rmtree(session(home, domain))
        write(home, domain, (own(PROG, {0x1120: 3}),))

    found = totals(Collector(home, no_warning).collect())

    assert sorted((frame.domain, count) for frame, count in found.items()) == [
        ("Domain-0", 3),
        ("web", 3),
    ]


def test_recorded_stacks_stand_for_their_session(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    recorded = {session(tmp_path, "web"): profile(BEFORE)}
    monkeypatch.setattr("xenprof.history.collector.read_stacks", recorded.get)
    fill(tmp_path, {0: 10})
    collector.forget()
    recorded[session(tmp_path, "web")] = profile(scaled(BEFORE, 2))
    cut = collector.collect()
    made = Symboliser("h", no_warning).profile(cut, 1, 2)

    assert sorted(made.totals) == sorted(profile(BEFORE).totals)
    assert max(len(stack) for stack in made.stacks) == 5
