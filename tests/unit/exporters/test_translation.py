import pytest

from exporters.catalogue import CATALOGUE
from exporters.metric import Metric
from exporters.translation import label_name, metric_name, translated, translated_name

ALL = pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
CONVENTIONAL = {
    "xen_host_cpu_frequency_hertz": "system_cpu_frequency_hertz",
    "xen_host_memory_bytes": "system_memory_limit_bytes",
    "xen_pcpu_seconds_total": "system_cpu_time_seconds_total",
    "xen_disk_busy_seconds_total": "system_disk_io_time_seconds_total",
    "process_cpu_seconds_total": "process_cpu_time_seconds_total",
    "process_resident_memory_bytes": "process_memory_usage_bytes",
    "process_virtual_memory_bytes": "process_memory_virtual_bytes",
    "process_open_fds": "process_unix_file_descriptor_count",
    "python_gc_collections_total": "cpython_gc_collections_total",
}
"""What has another name by OpenTelemetry's semantic conventions, without a direction."""


@pytest.mark.parametrize(
    ("otel", "unit", "counter", "gauge", "expected"),
    [
        # README of the Collector's translator and of otlptranslator
        ("(lambda).function.executions(#)", "", False, False, "lambda_function_executions"),
        ("system.filesystem.usage", "By", False, False, "system_filesystem_usage_bytes"),
        ("system.network.dropped", "{packets}", False, False, "system_network_dropped"),
        ("system.network.dropped", "packets", False, False, "system_network_dropped_packets"),
        ("system.memory.utilization", "1", False, True, "system_memory_utilization_ratio"),
        ("system.memory.utilization", "1", False, False, "system_memory_utilization"),
        ("system.processes.created", "", True, False, "system_processes_created_total"),
        ("astro.light.speed", "m/s", False, True, "astro_light_speed_meters_per_second"),
        ("system.cpu.time", "s", True, False, "system_cpu_time_seconds_total"),
        ("total.time.seconds", "s", True, False, "time_seconds_total"),
        ("2.fast", "", False, True, "_2_fast"),
        ("a..b__c", "{x}/s", False, True, "a_b_c_per_second"),
    ],
)
def test_names_are_translated_by_the_official_rules(otel, unit, counter, gauge, expected):
    assert expected == metric_name(otel, unit, is_counter=counter, is_gauge=gauge)


@pytest.mark.parametrize(
    ("attribute", "expected"), [("xen.domain.name", "xen_domain_name"), ("3d.x", "key_3d_x")]
)
def test_labels_are_translated_by_the_official_rules(attribute: str, expected: str):
    assert expected == label_name(attribute)


def test_other_names_are_those_of_semantic_conventions_only():
    other = {
        metric.name: translated_name(metric)
        for metric in CATALOGUE
        if metric.attribute is None and translated_name(metric) != metric.name
    }
    assert CONVENTIONAL == other


@ALL
def test_the_labels_of_a_translated_series_are_told_apart(metric: Metric):
    there = translated(metric)
    names = [*there.labels.values(), *there.fixed]
    assert len(set(names)) == len(names)


def test_a_direction_is_a_label_after_translation():
    (metric,) = (row for row in CATALOGUE if row.name == "xen_vif_receive_bytes_total")
    there = translated(metric)
    assert there.name == "xen_vif_io_bytes_total"
    assert dict(there.labels) == {
        "host": "host_name",
        "domain": "xen_domain_name",
        "vif": "xen_vif_id",
    }
    assert dict(there.fixed) == {"network_io_direction": "receive"}
