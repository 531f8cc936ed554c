from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xenprof.images import ImageSymbols
from xenprof.opreport.classes import Merge, classify
from xenprof.opreport.differential import difference
from xenprof.opreport.labels import Labels
from xenprof.opreport.order import order
from xenprof.opreport.request import Layout
from xenprof.opreport.symbols import symbol_table
from xenprof.profile.flat import ImageName, Profile, SampleFile, SampleHeader, SampleKey

APPS = [ImageName("root", "/usr/bin/b"), ImageName("root", "/usr/sbin/a"), ImageName("kern", "c")]
TEXT_OFFSET = 0x40
STARTS = [0x40, 0x50, 0x58, 0x70]
ENDS = [0x50, 0x58, 0x60, 0x90]
NAMES = ["schedule", "main", "do_IRQ", "memcpy"]


class Images:
    """A source in which every image has the same four symbols, and `c` has none."""

    def symbols(self, image: ImageName, mtime: int | None) -> ImageSymbols | None:
        if image.path == "c":
            return None
        starts, ends = np.array(STARTS, np.uint64), np.array(ENDS, np.uint64)
        vmas = starts + np.uint64(0x400000)
        return ImageSymbols(starts, ends, vmas, NAMES, TEXT_OFFSET, 0x400040)


@st.composite
def sample_files(draw: st.DrawFn) -> SampleFile:
    key = SampleKey(
        draw(st.sampled_from(APPS)), draw(st.sampled_from(APPS)), "CYCLES", 1, 0,
        cpu=draw(st.sampled_from([0, 1])),
    )  # fmt: skip
    samples = draw(st.dictionaries(st.integers(0, 0xA0), st.integers(0, 9), max_size=12))
    return SampleFile(
        key,
        SampleHeader("i386/core_2", 0x3C, 0, 1, key.image == APPS[1], 0.0, 5),
        np.array(list(samples), np.uint64),
        np.array(list(samples.values()), np.uint64),
    )


profiles = st.lists(sample_files(), min_size=1, max_size=6, unique_by=lambda file: file.key).map(
    lambda files: Profile(tuple(files))
)


def table_of(profile, *, details=False):
    classes = classify((file.key for file in profile.files), Merge(cpu=True))
    return symbol_table(profile, classes, Merge(cpu=True), Images(), details=details)


def naive_counts(profile):
    """Return samples by (app, image, symbol), slot by slot of the sample files."""
    counts: Counter[tuple] = Counter()
    for file in profile.files:
        shift = TEXT_OFFSET if file.header.is_kernel else 0
        for offset, count in zip(file.offsets.tolist(), file.counts.tolist(), strict=True):
            name = "/c" if file.key.image.path == "c" else None
            for start, end, symbol in zip(STARTS, ENDS, NAMES, strict=True):
                if name is None and start <= offset + shift < end:
                    name = symbol
            if name is not None and count:
                counts[file.key.app, file.key.image, name] += count
    return counts


def counts_by_symbol(table):
    return {
        (table.apps[app], table.images[image], name): count
        for app, image, name, (count,) in zip(
            table.app_of, table.image_of, table.names, table.counts.tolist(), strict=True
        )
    }


@given(profiles)
def test_every_sample_counts_for_the_symbol_that_covers_it(profile):
    assert counts_by_symbol(table_of(profile)) == naive_counts(profile)


@given(profiles)
def test_the_addresses_of_a_symbol_add_up_to_it(profile):
    table = table_of(profile, details=True)
    assert table.details is not None
    bounds = zip(table.details.first.tolist(), table.details.last.tolist(), strict=True)
    sums = [table.details.counts[first:last].sum(axis=0).tolist() for first, last in bounds]
    assert sums == table.counts.tolist()


@given(profiles)
def test_the_addresses_of_a_symbol_ascend_from_its_own(profile):
    table = table_of(profile, details=True)
    assert table.details is not None
    for row, vma in enumerate(table.vmas.tolist()):
        at = slice(int(table.details.first[row]), int(table.details.last[row]))
        addresses = table.details.addresses[at].tolist()
        assert addresses == sorted(set(addresses))
        assert addresses[0] >= vma


@given(
    profiles,
    st.lists(st.sampled_from(["sample", "image", "app-name", "symbol", "debug", "vma"])),
    st.booleans(),
)
def test_symbols_sort_by_the_keys_given_and_then_the_rest(profile, keys, reverse):
    table = table_of(profile)
    labels = Labels(table.names, [], [], shows_apps=False)
    rows = order(table, Layout(sort=tuple(keys), reverse=reverse), labels)

    def key_of(row):
        values = {
            "sample": -int(table.counts[row, 0]),
            "image": table.images[table.image_of[row]].path.rpartition("/")[2],
            "app-name": table.apps[table.app_of[row]].path.rpartition("/")[2],
            "symbol": table.names[row],
            "vma": int(table.vmas[row]),
        }
        fixed = ["sample", "image", "app-name", "symbol", "vma"]
        return [values[key] for key in [*keys, *fixed] if key != "debug"]

    found = [key_of(row) for row in rows.tolist()]
    assert found == sorted(found, reverse=reverse)


@given(profiles, profiles)
def test_a_difference_shows_the_new_counts_and_the_old_ones_of_what_is_gone(old, new):
    change = difference(table_of(old), table_of(new))
    assert counts_by_symbol(change.table) == {**naive_counts(old), **naive_counts(new)}


@given(profiles)
def test_a_profile_differs_from_itself_in_nothing(profile):
    table = table_of(profile)
    change = difference(table, table)
    assert (change.changes == 0).all()
    assert not change.is_gone.any()
    assert not change.is_new.any()
