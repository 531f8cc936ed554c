import tomllib

from hypothesis import given
from hypothesis import strategies as st

from xenprof.advise import gauges
from xenprof.advise.advice import Advice, Change, Setting
from xenprof.advise.experimentfile import files, scenario_text
from xenprof.advise.model import tables_of
from xenprof.advise.plan import Planned
from xenprof.advise.trials import QUICK, trial_of, tried

GRUMBLE = tables_of("grumble")
CHANGE = Change((Setting(("domain", "r5b2-mySQL01", "cap"), 0),), (gauges.capped("r5b2-mySQL01"),))


def advice(change=CHANGE) -> Advice:
    return Advice("weights.capped", "Lift", (), "r5b2/x", "Why", "Slide", "do", change=change)


def written(*plans, tables=GRUMBLE, built_in="grumble"):
    return {
        name: tomllib.loads(text) for name, text in files(plans, tables, "xen 1", built_in, QUICK)
    }


def planned(change=CHANGE):
    return Planned(advice(change), tried(trial_of(change, GRUMBLE)))


def test_an_experiment_has_the_host_as_it_is_and_as_advised():
    [file] = written(planned()).values()
    assert ("Lift", "Slide", "Why", "grumble", 3) == (
        file["title"],
        file["slide"],
        file["shows"],
        file["base"],
        file["seeds"],
    )
    [axis] = file["axis"]
    assert [("as it is", None), ("as advised", {"domain.r5b2-mySQL01.cap": 0})] == [
        (one["name"], one.get("set")) for one in axis["value"]
    ]


def test_its_results_are_what_the_advice_is_for_and_all_work():
    [file] = written(planned()).values()
    results = {one["name"]: one for one in file["result"]}
    assert ["domain.r5b2-mySQL01.vcpus.*.capped_ns"] == results["r5b2-mySQL01: parked by its cap"][
        "of"
    ]
    assert ["domain.DesktopVM.workload.0.bursts"] == results[
        "DesktopVM: workload 1 (burst), bursts"
    ]["of"]
    # One figure of the advice; DesktopVM, ossvm02 and rhel5pvtest have two workloads, mySQL three.
    assert 1 + 2 + 2 + 2 + 3 == len(results)


def test_names_of_files_are_told_apart_and_legal():
    assert ["weights.capped-r5b2-x.toml", "weights.capped-r5b2-x-2.toml"] == list(
        written(planned(), planned())
    )


def test_a_host_of_ones_own_stands_beside_its_experiments():
    found = written(planned(), built_in=None)
    assert GRUMBLE == found["xen-1.host.toml"]
    assert "./xen-1.host.toml" == found["weights.capped-r5b2-x.toml"]["base"]


def test_what_both_hosts_have_and_the_scenario_has_not_is_in_a_scenario_of_its_own():
    guest = Setting(("domain",), {"name": "applications"}, is_added=True)
    found = written(planned(Change(CHANGE.settings, CHANGE.gauges, first=(guest,))))
    base = found["weights.capped-r5b2-x.host.toml"]
    assert {"name": "applications"} == base["domain"][-1]
    assert "./weights.capped-r5b2-x.host.toml" == found["weights.capped-r5b2-x.toml"]["base"]


def test_advice_without_a_trial_has_no_file():
    assert {} == written(Planned(advice(None)))


TEXT = st.text(max_size=3)
PLAIN = (
    TEXT | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.lists(TEXT, max_size=2)
)
KEYS = st.from_regex(r"[a-z][a-z_]{0,5}", fullmatch=True)
WORKLOADS = st.lists(st.dictionaries(KEYS, PLAIN, min_size=1, max_size=2), max_size=2)


@given(
    st.fixed_dictionaries(
        {
            "host": st.dictionaries(KEYS, PLAIN, max_size=2),
            "domain": st.lists(
                st.builds(
                    lambda table, works: table | ({"workload": works} if works else {}),
                    st.dictionaries(KEYS, PLAIN, min_size=1, max_size=2),
                    WORKLOADS,
                ),
                min_size=1,
                max_size=2,
            ),
        }
    )
)
def test_what_is_written_is_what_is_read(tables):
    assert tables == tomllib.loads(scenario_text(tables))
