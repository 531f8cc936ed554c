"""Shows a snapshot to a Prometheus that scrapes as if the metrics had come to it by OTLP."""

import re
from collections.abc import Iterator
from dataclasses import replace

from exporters.catalogue import CATALOGUE
from exporters.metric import Label, Metric, Point
from exporters.scrape.renderer import Renderer
from exporters.translation import translated
from hypervisor.telemetry import HostSnapshot
from xenprof.service.exporter import ServiceStats


def otlp_text(host: HostSnapshot, stats: ServiceStats) -> bytes:
    """Return all series in the text format, without types, by their names by OTLP."""
    renamed = {"all": tuple(_renamed(metric) for metric in CATALOGUE)}
    text = Renderer(renamed, ()).render(host, stats, openmetrics=False)
    lines = [line for line in text.decode().splitlines(keepends=True) if line[0] != "#"]
    return re.sub(r'([{,])host="', r'\1host_name="', "".join(lines)).encode()


def _renamed(metric: Metric) -> Metric:
    names = translated(metric)
    labels = [label._replace(name=names.labels[label.name]) for label in metric.labels]
    labels += [Label(name, name) for name in names.fixed]

    def points(host: HostSnapshot, stats: ServiceStats, /) -> Iterator[Point]:
        for values, value in metric.points(host, stats):
            yield (*values, *names.fixed.values()), value

    return replace(metric, name=names.name, labels=tuple(labels), points=points)
