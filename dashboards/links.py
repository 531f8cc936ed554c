"""Makes the links from dashboards and panels to others, and to runbooks.

`$runbooks` is a hidden variable of every dashboard: where docs/runbooks.md is to be read.
"""

from dashboards.pieces import JsonObject

TAG = "xenprof"
_DOMAIN = "/d/xenprof-domain?${datasource:queryparam}&var-host=%s&var-domain=%s&${__url_time_range}"
_HOST = "/d/xenprof-overview?${datasource:queryparam}&var-host=%s&${__url_time_range}"

DOMAIN_LINK: JsonObject = {
    "title": "Domain ${__field.labels.domain}",
    "url": _DOMAIN % ("${__field.labels.host}", "${__field.labels.domain}"),
}
"""Leads from a series that has the labels host and domain."""

DOMAIN_COLUMN_LINK: JsonObject = {
    "title": "Domain ${__value.text}",
    "url": _DOMAIN % ("${__data.fields.host}", "${__value.text}"),
}
HOST_COLUMN_LINK: JsonObject = {"title": "Host ${__value.text}", "url": _HOST % "${__value.text}"}

_LINK: JsonObject = {
    "type": "link",
    "tags": [],
    "asDropdown": False,
    "includeVars": False,
    "keepTime": False,
    "targetBlank": True,
    "icon": "doc",
    "tooltip": "",
}

DASHBOARD_LINKS: tuple[JsonObject, ...] = (
    {
        **_LINK,
        "type": "dashboards",
        "title": "Xen dashboards",
        "tags": [TAG],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "url": "",
    },
    {**_LINK, "title": "Runbooks", "tooltip": "What to do about each alert", "url": "${runbooks}"},
)
"""The links at the top of every dashboard."""


def with_runbooks(dashboard: JsonObject, url: str) -> JsonObject:
    """Return the dashboard with its runbooks at `url`; `dashboard` stays as it is."""
    option = {"text": url, "value": url}
    there = {"query": url, "current": option, "options": [{**option, "selected": True}]}
    variables = [
        {**variable, **there} if variable["name"] == "runbooks" else variable
        for variable in dashboard["templating"]["list"]
    ]
    return {**dashboard, "templating": {"list": variables}}


def runbook(section: str) -> JsonObject:
    """Return a panel's link to a section of the runbooks."""
    return {**_LINK, "title": f"Runbook: {section}", "url": f"${{runbooks}}#{section.lower()}"}
