"""Lists the metrics of the catalogue that no dashboard shows, each with the reason."""

from collections.abc import Mapping

LEFT_OUT: Mapping[str, str] = {}
