import json
from typing import Any

from dashboards.export import to_schema_42


def built(*titles: str) -> dict[str, Any]:
    panels = [{"title": title, "span": 12, "height": 3, "targets": []} for title in titles]
    return {
        "title": "t",
        "uid": "u",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [], "enable": True},
        "rows": [{"title": "r", "panels": panels}],
    }


def test_converting_leaves_the_builders_dashboard_alone():
    given = built("a", "b")
    before = json.dumps(given)
    to_schema_42(given)
    assert before == json.dumps(given)


def test_a_panel_keeps_its_id_when_another_comes_before_it():
    def ids(*titles: str) -> dict[str, int]:
        return {panel["title"]: panel["id"] for panel in to_schema_42(built(*titles))["panels"]}

    assert ids("a", "new", "b")["b"] == ids("a", "b")["b"]
