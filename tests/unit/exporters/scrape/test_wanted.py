from dataclasses import replace

import pytest

from exporters.scrape.renderer import Renderer
from exporters.scrape.wanted import MOST_VALUES, BadQuery, Wanted, wanted
from hypervisor.telemetry import HostSnapshot, ModeTimes
from tests.support.snapshots import NAMES, grumble, stats, without


def lines(
    want: Wanted, *, openmetrics: bool = False, host: HostSnapshot | None = None
) -> list[str]:
    made = Renderer(clock=lambda: 0.0).render(
        host or grumble(), stats(), openmetrics=openmetrics, wanted=want
    )
    return made.decode().splitlines()


def names(want: Wanted) -> set[str]:
    return {line.partition("{")[0] for line in lines(want) if line[0] != "#"}


def test_without_parameters_everything_is_wanted():
    assert wanted([]).is_whole


@pytest.mark.parametrize("name", ["xen_domain_cpu_seconds_total", "xen_domain_cpu_seconds"])
def test_a_name_is_that_of_the_metric_or_of_its_family(name: str):
    assert names(wanted([("name[]", name)])) == {"xen_domain_cpu_seconds_total"}


def test_names_are_exact_and_several_add_up():
    found = names(wanted([("name[]", "xen_domain_cpu_seconds_total"), ("name[]", "xen_domain_cp")]))
    assert found == {"xen_domain_cpu_seconds_total"}


def test_a_part_of_a_histogram_brings_the_whole():
    assert names(wanted([("name[]", "xen_vcpu_wait_seconds_bucket")])) == {
        "xen_vcpu_wait_seconds_bucket",
        "xen_vcpu_wait_seconds_count",
        "xen_vcpu_wait_seconds_sum",
    }


def test_of_domains_only_those_named_have_series_and_the_host_stays():
    found = lines(wanted([("domain[]", NAMES[2]), ("collect[]", "domains"), ("collect[]", "host")]))
    said = [line for line in found if line[0] != "#" and 'domain="' in line]
    assert said
    assert [line for line in said if f'domain="{NAMES[2]}"' not in line] == []
    assert any(line.startswith("xen_host_memory_bytes") for line in found)


def test_what_a_driver_domain_did_for_others_is_not_changed_by_a_filter():
    metric = ("name[]", "xen_domain_on_behalf_seconds_total")
    found = lines(wanted([metric, ("domain[]", "Domain-0")]))
    assert set(lines(wanted([metric]))) == set(found)


def test_groups_are_collected_as_by_node_exporter():
    found = lines(wanted([("collect[]", "vcpus")]))
    assert not any(line.startswith("xen_domain") for line in found)
    runs = {line for line in found if line.startswith("xenprof_collector_success{")}
    assert runs == {
        'xenprof_collector_success{collector="snapshot",host="grumble"} 1',
        'xenprof_collector_success{collector="vcpus",host="grumble"} 1',
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ([("name", "x")], "no parameter 'name'; there are collect[], name[], domain[], created"),
        ([("collect[]", "cpu")], "no collector 'cpu'; there are host, domains, "),
        ([("created", "yes")], "created is true or false, not 'yes'"),
        ([("a\nb" * 100, "x")], "no parameter 'a\\nba\\nb"),
        ([("domain[]", "x" * 300)], "domain[]: more than 256 characters"),
        ([("name[]", "x")] * (MOST_VALUES + 1), f"more than {MOST_VALUES} parameters"),
    ],
)
def test_what_is_not_known_is_refused_in_a_short_line(query, message: str):
    with pytest.raises(BadQuery) as caught:
        wanted(query)
    text = str(caught.value)
    assert text.startswith(message)
    assert "\n" not in text
    assert len(text) < 250


def test_times_of_creation_are_shown_only_when_asked_for():
    assert not any("_created" in line for line in lines(Wanted(), openmetrics=True))


def test_a_counter_of_a_domain_was_created_with_it_and_others_with_the_service():
    want = wanted([("created", "true"), ("collect[]", "domains"), ("collect[]", "service")])
    found = [line for line in lines(want, openmetrics=True) if "_created" in line]
    assert 'xen_domain_cpu_seconds_created{domain="ossvm02",host="grumble"} 1170000000.0' in found
    assert 'xenprof_model_time_seconds_created{host="grumble"} 1700000000.0' in found


@pytest.mark.parametrize(
    "name", ["xenprof_samples_lost_total", "xen_xenoprof_samples_total"], ids=["ended", "sessions"]
)
def test_a_series_whose_begin_is_unknown_has_no_time_of_creation(name: str):
    host = without(grumble(), "rhel5pvtest")
    want = wanted([("created", "true"), ("name[]", name), ("domain[]", "rhel5pvtest")])
    text = Renderer().render(host, stats(), openmetrics=True, wanted=want).decode()

    assert f"{name}{{" in text
    assert "_created" not in text


def test_work_for_a_domain_began_when_that_was_created():
    driver, guest = grumble().domains[:2]
    behalf = {guest.name: ModeTimes(0, 1, 0), driver.name: ModeTimes(0, 1, 0)}
    host = replace(
        grumble(),
        domains=(
            replace(driver, on_behalf=behalf),
            replace(guest, created_ns=5_000_000_000),
        ),
    )
    want = wanted([("created", "true"), ("name[]", "xen_domain_on_behalf_seconds_total")])
    made = Renderer(clock=lambda: 0.0).render(host, stats(), openmetrics=True, wanted=want)
    assert {
        line.partition('on_behalf_of="')[2].partition('"')[0]: line.rpartition(" ")[2]
        for line in made.decode().splitlines()
        if "_created" in line
    } == {guest.name: "1170000005.0", driver.name: "1170000000.0"}


def test_the_text_format_has_no_times_of_creation():
    assert not any("_created" in line for line in lines(Wanted(created=True)))


def test_of_a_watched_host_the_service_does_not_know_since_when_it_counts():
    want = wanted([("created", "true"), ("collect[]", "host"), ("collect[]", "service")])
    watched = replace(grumble(), boot="a")
    found = [line for line in lines(want, openmetrics=True, host=watched) if "_created" in line]

    assert 'xenprof_model_time_seconds_created{host="grumble"} 1700000000.0' in found
    assert not any(line.startswith("xen_") for line in found)
