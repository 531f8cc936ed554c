"""Makes the page at `/`, and says what it may do: run its own script, and ask this service."""

import base64
import hashlib
import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files

_SHIPPED: Mapping[str, str] = {
    "API": "docs/api",
    "Snapshot": "api/v1/snapshot",
    "Profiles": "profiles",
    "Host": "api/v1/info",
    "Health": "-/healthy",
    "Ready": "-/ready",
}
"""What the service itself shows, beside the metrics."""


def page_text(telemetry_path: str, links: Mapping[str, str]) -> str:
    """Return the page; `links` are names and addresses of further places."""
    text = files("xenprof.service").joinpath("page.html").read_text(encoding="utf-8")
    shown = {"Metrics": telemetry_path.lstrip("/"), **_SHIPPED, **links}
    anchors = (f'<a href="{escape(to)}">{escape(name)}</a>' for name, to in shown.items())
    return text.replace("{links}", "\n  ".join(anchors))


def page_policy(page: str) -> str:
    """Return the Content-Security-Policy of a page, which names its style and script by digest."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_digests('script', page)}",
            f"style-src {_digests('style', page)}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _digests(element: str, page: str) -> str:
    contents = re.findall(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
    digests = (hashlib.sha256(content.encode()).digest() for content in contents)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
