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


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_a_browser_gets_the_documentation_of_the_api_as_a_page(app):
    status, headers, body = ask_now(app, "GET", "/docs/api", headers=BROWSER)

    assert (200, "text/html; charset=utf-8", True, True) == (
        status,
        headers["content-type"],
        b'<h1 id="the-http-api">The HTTP API</h1>' in body,
        b'<td data-head="path"><code>/api/v1/snapshot</code></td>' in body,
    )


def test_the_policy_of_the_documentation_allows_its_style_alone(app):
    _, headers, body = ask_now(app, "GET", "/docs/api", headers=BROWSER)
    (style,) = re.findall("<style>(.*?)</style>", body.decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert f"style-src 'sha256-{digest}'" in headers["content-security-policy"].split("; ")
    assert b"<script" not in body and b"http" not in body.partition(b"<body>")[0]


def test_the_documentation_of_the_api_is_served(app):
    status, _, body = ask_now(app, "GET", "/docs/api")

    assert (200, True) == (status, body.startswith(b"# The HTTP API\n"))
