import base64
import hashlib
import re

import pytest

from tests.support.service_fakes import ask_now
from xenprof.service.page import page_policy, page_text


def policy(app) -> dict[str, str]:
    headers = ask_now(app, "GET", "/")[1]
    parts = (part.partition(" ") for part in headers["content-security-policy"].split("; "))
    return {name: value for name, _, value in parts}


def test_its_policy_allows_nothing_but_its_own_parts(app):
    allowed = policy(app)

    assert {"connect-src": "'self'"} | dict.fromkeys(
        ("default-src", "base-uri", "form-action", "frame-ancestors"), "'none'"
    ) == {name: value for name, value in allowed.items() if name not in ("script-src", "style-src")}


@pytest.mark.parametrize("element", ["script", "style"])
def test_its_policy_names_the_one_element_by_its_digest(app, element):
    body = ask_now(app, "GET", "/")[2].decode()
    (content,) = re.findall(f"<{element}>(.*?)</{element}>", body, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

    assert f"'sha256-{digest}'" == policy(app)[f"{element}-src"]


def test_it_loads_nothing_from_elsewhere():
    page = page_text("/metrics", {})

    assert [] == re.findall(
        r"(?:src|srcset)=|url\(|@import|<link|https?://(?!www\.w3\.org/2000)", page
    )


def test_links_are_escaped_and_in_order():
    page = page_text("/m<", {"Dash&boards": 'http://g/?a=1&b="'})

    assert (True, True) == (
        '<nav><a href="m&lt;">Metrics</a>' in page,
        '<a href="http://g/?a=1&amp;b=&quot;">Dash&amp;boards</a></nav>' in page,
    )


def test_a_policy_has_a_digest_for_each_element():
    assert page_policy("<script>1</script><script>2</script>").count("sha256-") == 2


def test_the_documentation_of_the_api_is_served(app):
    status, _, body = ask_now(app, "GET", "/docs/api")

    assert (200, True) == (status, body.startswith(b"# The HTTP API\n"))
