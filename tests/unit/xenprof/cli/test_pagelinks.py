import click
import pytest

from xenprof.cli.pagelinks import page_links

CONTEXT, OPTION = click.Context(click.Command("serve")), click.Option(["--link"])


def test_links_keep_their_order_and_their_equals_signs():
    given = ("Dashboards=https://grafana:3000/?a=b", "Docs=http://[::1]/docs")

    assert {"Dashboards": "https://grafana:3000/?a=b", "Docs": "http://[::1]/docs"} == page_links(
        CONTEXT, OPTION, given
    )


@pytest.mark.parametrize(
    "value",
    [
        "", "Dashboards", "=http://a", "Run=javascript:alert(1)", "File=file:///etc", "A=http://",
        "B=http://[", "C=//host", "D=http://h:99999/", "E=http://h/a\nb",
    ],
)  # fmt: skip
def test_what_is_no_link_of_the_web_is_refused(value):
    with pytest.raises(click.BadParameter, match="is no NAME=URL with an http or https URL"):
        page_links(CONTEXT, OPTION, (value,))
