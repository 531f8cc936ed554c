"""Prints the catalogue as a document (`python -m exporters.reference > docs/metrics.md`)."""

import sys

from exporters.catalogue import CATALOGUE, HOST_ATTRIBUTE
from exporters.metric import Metric

_HEAD = f"""# Metrics

Written by `python -m exporters.reference`. Every series has the label `host`, which is the
resource attribute `{HOST_ATTRIBUTE}` in OpenTelemetry. What a host does not know has no series.
Rates of virtual time: divide by `rate(xenprof_model_time_seconds_total[...])` where the speed of
the model is not 1.

| Prometheus | labels | OpenTelemetry | unit | kind | meaning |
|---|---|---|---|---|---|
"""


def markdown() -> str:
    """Return the whole document."""
    return _HEAD + "".join(_row(metric) for metric in CATALOGUE)


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label.name}`" for label in metric.labels)
    direction = "" if metric.attribute is None else " ({}={})".format(*metric.attribute)
    cells = (
        f"`{metric.name}`",
        labels,
        f"`{metric.otel}`{direction}",
        metric.unit,
        metric.kind.value,
        metric.help,
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
