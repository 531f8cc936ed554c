"""Chooses the format of a scrape from what the client accepts."""

from collections.abc import Mapping

from xenprof.service.negotiation import choices

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_OLDER_OPENMETRICS = OPENMETRICS.replace("1.0.0", "0.0.1")  # the same text
# What is served for a media range, and for which versions; "" is none given.
_SERVED: Mapping[str, Mapping[str, str]] = {
    "application/openmetrics-text": {
        "": OPENMETRICS,
        "1.0.0": OPENMETRICS,
        "0.0.1": _OLDER_OPENMETRICS,
    },
    "application/*": {"": OPENMETRICS},
    "text/plain": {"": TEXT, "0.0.4": TEXT},
    "text/*": {"": TEXT},
    "*/*": {"": TEXT},
}


def content_type(accept: str) -> str:
    """Return the content type to answer with: the first that is accepted, otherwise the text.

    A version that is not known here is passed over, as by Prometheus' own library.
    """
    ranges = choices(accept)
    refused = {one.name for one in ranges if not one.weight}
    for one in ranges:
        served = _SERVED.get(one.name, {}).get(one.parameters.get("version", ""))
        if served is not None and one.weight and served.partition(";")[0] not in refused:
            return served
    return TEXT
