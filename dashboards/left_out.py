"""Lists the metrics of the catalogue that no dashboard shows, each with the reason."""

from collections.abc import Mapping

LEFT_OUT: Mapping[str, str] = {
    "xen_vif_rate_limit_bytes": "it is configured; what it holds back is shown",
}
