from dashboards.build import build_with
from dashboards.links import with_runbooks

URL = "https://wiki.example/runbooks.md"


def test_runbooks_are_where_the_builder_is_told():
    texts = build_with("scraped", URL).values()
    assert [f'"query": "{URL}"' in text for text in texts] == [True] * 9


def test_other_variables_stay():
    dashboard = {"templating": {"list": [{"name": "host", "query": "x"}]}}
    assert with_runbooks(dashboard, URL) == dashboard
