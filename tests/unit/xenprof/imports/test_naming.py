"""Names of imported images: archives can hold them, whatever the input calls them."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.samplepaths import parse_path
from xenprof.imports.naming import ImageNames
from xenprof.imports.recording import event_names
from xenprof.profile.flat import SampleKey
from xenprof.profile.stacks import Layer
from xenprof.store.samplepath import format_path

part = st.sampled_from(
    ["a", "b", "..", ".", "{dep}", "{anon:x}", "var", "lib", "oprofile", "xen", "é" * 200]
)
image = st.lists(part, max_size=5).map("/".join) | st.lists(part, max_size=5).map("/".join).map(
    "/{}".format
)
images = st.lists(st.tuples(st.sampled_from(Layer), image), unique=True, max_size=12)


@given(images)
def test_no_two_images_share_a_name(wanted):
    names = ImageNames()

    assert len(wanted) == len({names.name(layer, text) for layer, text in wanted})


@given(images)
def test_no_image_is_a_directory_of_another_or_of_the_samples(wanted):
    names = ImageNames()
    paths = {f"/{names.name(layer, text).path.lstrip('/')}" for layer, text in wanted}
    paths.add("/var/lib/oprofile")

    assert [] == [(a, b) for a in paths for b in paths if b.startswith(f"{a}/")]


@given(images)
def test_every_name_is_read_back_from_its_path(wanted):
    names = ImageNames()
    for layer, text in wanted:
        name = names.name(layer, text)
        key = SampleKey(name, name, "cycles", 1, 0)
        assert key == parse_path(format_path(key))


@given(st.lists(st.text(max_size=6), max_size=6))
def test_names_of_events_are_distinct_and_fit_a_path(wanted):
    found = event_names(wanted)

    assert len(wanted) == len(set(found))
    assert all(name and not set(name) & set("./:\0") for name in found)


def test_usual_names_of_perf_stay_readable():
    wanted = ["cycles:ppp", "sched:sched_switch", "cpu/event=0x3c,umask=0/", "branch-misses"]

    assert ["cycles_ppp", "sched_sched_switch", "cpu_event_0x3c_umask_0", "branch-misses"] == (
        event_names(wanted)
    )


def test_very_many_events_of_one_name_are_numbered():
    """Each is numbered without a look at all others."""
    assert "cycles_20000" == event_names(["cycles"] * 20_000)[-1]


def test_very_many_images_of_one_name_are_numbered():
    names = ImageNames()
    images = [f"/{'x' * 200}{number}" for number in range(20_000)]

    assert names.name(Layer.USER, images[0]).path == f"/{'x' * 120}"
    assert f"/{'x' * 120}-20000" == [names.name(Layer.USER, image).path for image in images][-1]
