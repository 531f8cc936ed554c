"""Reading experiments: what is in them, and what is refused before anything runs."""

import pytest

from hypervisor.errors import ScenarioError
from tests.support.variants import SMALL, loaded, written
from xenprof.experiment.errors import ExperimentError
from xenprof.experiment.reading import load, names, texts

RESULT = '\n[[result]]\nname = "x"\nof = "domain.web.cpu_ns"\n'


def test_variants_are_all_combinations_the_first_axis_slowest(tmp_path):
    more = '\n[[axis]]\nkey = "host.hypervisor"\nvalues = ["3.0.3", "3.1"]\n'
    found = loaded(tmp_path, SMALL.replace("against = 0", "against = { cap = 0 }") + more)

    assert ("cap", "hypervisor") == found.axes
    assert [("0", "3.0.3"), ("0", "3.1"), ("50", "3.0.3"), ("50", "3.1")] == [
        one.names for one in found.variants
    ]
    assert [0, 0, 50, 50] == [one.job.tables["domain"][0]["cap"] for one in found.variants]


def test_a_named_value_sets_several_keys_and_takes_events(tmp_path):
    text = SMALL.replace(
        'key = "domain.web.cap"\nvalues = [0, 50]',
        'name = "cap"\n[[axis.value]]\nname = "0"\n[[axis.value]]\nname = "50"\n'
        'set = { "domain.web.cap" = 50, "domain.web.vcpus" = 2 }\n'
        'event = [{ at_s = 0.03, do = "xm vcpu-set web 1" }]',
    ).replace("against = 0", 'against = "0"')
    first, second = loaded(tmp_path, text).variants

    assert (50, 2) == tuple(second.job.tables["domain"][0][key] for key in ("cap", "vcpus"))
    assert [()] == [first.job.events]
    assert [(30_000_000, "xm vcpu-set web 1")] == [
        (one.at_ns, one.command) for one in second.job.events
    ]


def test_a_workload_is_moved_into_domain_0_as_often_as_it_says(tmp_path):
    text = SMALL.replace(
        'key = "domain.web.cap"\nvalues = [0, 50]',
        'name = "cap"\n[[axis.value]]\nname = "0"\n[[axis.value]]\nname = "50"\ncopies = 3\n'
        'move = { "domain.web.workload" = "domain0.workload" }',
    ).replace("against = 0", 'against = "0"')
    _, moved = loaded(tmp_path, text).variants

    jobs = moved.job.tables["domain0"]["workload"]
    assert 3 == len({id(one) for one in jobs})  # each can be changed by itself
    assert [{"kind": "cpu"}] * 3 == moved.job.tables["domain0"]["workload"]
    assert "workload" not in moved.job.tables["domain"][0]


def test_a_quick_one_has_one_seed_and_a_fifth_of_the_time(tmp_path):
    quick = loaded(tmp_path, is_quick=True)

    assert (1, 4_000_000, 12_000_000) == (
        quick.seeds,
        quick.variants[0].job.warm_up_ns,
        quick.variants[0].job.piece_ns,
    )


def test_base_is_a_file_beside_the_experiment(tmp_path):
    (tmp_path / "host.toml").write_text('[[domain]]\nname = "web"\n')
    path = written(tmp_path, 'base = "./host.toml"\n' + RESULT)

    assert "web" == load(str(path)).variants[0].job.tables["domain"][0]["name"]


def test_runs_differ_by_what_is_run_not_by_seeds_or_words(tmp_path):
    plain = set(loaded(tmp_path).runs())

    assert plain == set(loaded(tmp_path, SMALL.replace("Caps & weights", "Other")).runs())
    assert plain < set(loaded(tmp_path, seeds=7).runs())
    assert plain.isdisjoint(loaded(tmp_path, SMALL.replace("0.06", "0.07")).runs())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("duration_s", "duration_z", "unknown key 'duration_z' (did you mean 'duration_s'?); "),
        ('"domain.web.cap"', '"domain.wbe.cap"', "'domain.wbe.cap': there is no 'wbe' (did you"),
        ('"domain.web.cap"', '"domain.web.capp"', "domain[web]: unknown key 'capp'"),
        ("[0, 50]", "[0, 5000]", "cap 5000 is out of range"),
        ("[0, 50]", "[0, 0]", "two values are called '0'"),
        ('of = "domain.web.cpu_ns"\n\n', 'of = "domain.web.cpu_nz"\n\n', "'domain.web.cpu_nz': "
         "there is no 'cpu_nz' (did you mean 'cpu_ns'?); there are domid, name"),
        ('of = "domain.web.cpu_ns"\n\n', 'of = "domain.web.workload.*.unitz"\n\n',
         "there is no 'unitz' (did you mean 'units'?); there are kind, units, work_seconds"),
        ('of = "domain.web.cpu_ns"\n\n', 'of = "domain.web.workload"\n\n', "is no number; go on"),
        ('of = "domain.web.cpu_ns"\n\n', 'of = "guest.web.cpu_ns"\n\n', "use domain.NAME, domain0"),
        ("against = 0", "against = 1", "axis 'cap' has no '1'; it has 0, 50"),
        ("against = 0", "against = { cup = 0 }", "no axis 'cup' (did you mean 'cap'?)"),
        ('of = "domain.web.cpu_ns"\n\n', 'of = "domain.web.cpu_ns"\nhow = "last"\nper = "host.free_kib"\n\n',
         "per divides a growth by another, so how is growth or is left out"),
        ("seeds = 2", "seeds = 2\nheadline = '{ran|7}'", "headline: no figure '{ran|7}'"),
        ('"domain.web.cap"', f'"domain.{"9" * 5000}.cap"', "there is no '999"),
        ("[0, 50]", str(list(range(1001))), "axis[0]: 1001 values; 1000 at most"),
        ('of = "domain.web.cpu_ns"\n\n', "of = []\n\n", "result[ran]: of and per name a path"),
        ('name = "ran"', 'name = "r\\u001b[31m"', "has characters that cannot be printed"),
        ('of = "domain.web.cpu_ns"\n\n', 'of = "domain.web.cpu_ns"\ntimes = 1e308\n\n', ".times: 1e+308"),
        ("seeds = 2", "seeds = 0", "seeds: 0 must be greater than or equal to 1"),
        ("seeds = 2", "seeds = 2\nbase = 'grumble'", "an experiment has base"),
        ("seeds = 2", "seeds = 2\nevery_s = 0.05", "every_s must divide duration_s"),
        ("seeds = 2", 'seeds = 2\nset = { "host.seed" = 3 }', "'host.seed': is what runs are"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_a_line_with_what_is_allowed(tmp_path, old, new, told):
    assert old in SMALL
    with pytest.raises((ExperimentError, ScenarioError)) as caught:
        loaded(tmp_path, SMALL.replace(old, new))

    assert told in str(caught.value)
    assert "small.toml" in str(caught.value)
    assert 1 == len(str(caught.value).splitlines())


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ("xm mem-sett web 1", "unknown command (did you mean 'mem-set'?); there are xm mem-set"),
        ("rm -rf /", "unknown command; there are"),
        ("xm mem-set web", "write xm mem-set DOMAIN MIB"),
        ("xm mem-set wbe 64", "no domain 'wbe' (did you mean 'web'?); there are Domain-0, web"),
        ("xm vcpu-pin web 0 x", "write xm vcpu-pin DOMAIN VCPU|all CPUS|all"),
        ("xm sched-credit -d web", "write xm sched-credit -d DOMAIN -w WEIGHT -c CAP"),
        ("xm pause 'web", "No closing quotation"),
        ("xm sched-credit -d web -w 70000", "0: event 'xm sched-credit -d web -w 70000': weight"),
        ("xm vcpu-pin web 0 99", "0: event 'xm vcpu-pin web 0 99': "),
        ("echo foo > /sys/block/sda/queue/scheduler", "0: event 'echo foo > /sys/block/sda/queue"),
        ("echo noop > /sys/block/sdq/queue/scheduler", "0: event 'echo noop > /sys/block/sdq"),
    ],
)
def test_an_event_that_cannot_be_is_a_line(tmp_path, event, told):
    text = SMALL + f'\n[[event]]\nat_s = 0\ndo = "{event}"\n'
    with pytest.raises(ExperimentError) as caught:
        loaded(tmp_path, text)

    assert told in str(caught.value)


def test_a_result_of_some_variants_is_looked_for_in_these(tmp_path):
    result = '\n[[result]]\nname = "x"\nof = "host.disks.sdb.read_bytes"\nonly = {{ {} }}\n'
    axis = """
[[axis]]
name = "store"
[[axis.value]]
name = "local"
[[axis.value]]
name = "san"
set = { "host.store" = [{ name = "san", kind = "fc" }] }
"""
    text = SMALL.replace("against = 0", "against = { cap = 0 }") + axis

    assert 4 == len(loaded(tmp_path, text + result.format('store = "san"')).variants)
    with pytest.raises(ExperimentError, match=r"0, local: result 'host.disks.sdb.*no 'sdb'"):
        loaded(tmp_path, text + result.format('store = "local"'))


def test_a_host_without_xen_obeys_no_xm(tmp_path):
    text = """
[scenario.host]
hypervisor = "none"
[[event]]
at_s = 0
do = "xm vcpu-set Domain-0 1"
[[result]]
name = "n"
of = "domain0.cpu_ns"
"""
    with pytest.raises(ExperimentError, match="event 'xm vcpu-set Domain-0 1': this host runs "):
        loaded(tmp_path, text)


def test_an_event_after_the_end_is_refused(tmp_path):
    with pytest.raises(ExperimentError, match=r"at_s is 1, and the run ends at 0\.06"):
        loaded(tmp_path, SMALL + '\n[[event]]\nat_s = 1\ndo = "xm pause web"\n')


@pytest.mark.parametrize("text", ["]", "x = \x00", "[[result]]\nname = 3"])
def test_what_is_no_such_file_is_refused(tmp_path, text):
    with pytest.raises(ExperimentError, match=r"small\.toml"):
        loaded(tmp_path, text)


def test_a_result_is_compared_with_a_variant_that_has_it_not(tmp_path):
    """Its paths lead somewhere there alone, as those of a load that is moved into domain 0."""
    text = """
[[axis.value]]
name = "there"
move = { "domain.web.workload" = "domain0.workload" }

[[axis.value]]
name = "here"

[[result]]
name = "work"
of = ["domain.web.workload.*.work_seconds", "domain0.workload.*.work_seconds"]
against = { place = "there" }
shown = "percent"
only = { place = "here" }
"""
    start = SMALL[: SMALL.index("[[axis]]")] + '[[axis]]\nname = "place"\n'

    assert 2 == len(loaded(tmp_path, start + text).variants)


def test_an_unknown_name_tells_the_known_ones():
    with pytest.raises(ExperimentError, match=r"no experiment 'storag' \(did you mean 'storage'\?"):
        load("storag")


@pytest.mark.parametrize("name", names())
def test_every_built_in_experiment_has_its_texts(name):
    told = texts(name)

    assert all((told.title, told.slide, told.shows, told.talk, told.headline))
