"""Asks Prometheus whether it gets at the service, and tells what to set if it does not."""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from dashboards.observe.page import SHUT, Page
from dashboards.observe.settings import CannotObserve

_PATIENCE_SECONDS = 20.0  # as the rules are written, a scrape comes after 5 s and takes 5 at most
_ASK_EVERY_SECONDS = 0.2
_TO_SET = {
    "401 ": "OBSERVE_USER and OBSERVE_PASSWORD_FILE",
    "404 ": "OBSERVE_METRICS_PATH",
    "unknown authority": "OBSERVE_CA_FILE",
    "certificate is not trusted": "OBSERVE_CA_FILE",
    "failed to verify certificate": "OBSERVE_CA_FILE",
    "certificate required": "OBSERVE_CERT_FILE and OBSERVE_KEY_FILE",
    "bad certificate": "OBSERVE_CERT_FILE and OBSERVE_KEY_FILE",
    "IP SANs": "OBSERVE_SERVER_NAME",
    "certificate is valid for": "OBSERVE_SERVER_NAME",
    "not valid for any names": "OBSERVE_SERVER_NAME",
    "no such file": "OBSERVE_PASSWORD_FILE",
    "permission denied": "OBSERVE_PASSWORD_FILE",
    "deadline exceeded": "a longer OBSERVE_WINDOW, with which there are fewer scrapes",
}
"""What errors of Prometheus have in them, and what to set then; the last that fits counts."""
_ANYTHING = "what docs/serving.md lists"


@dataclass(frozen=True, slots=True)
class Health:
    """How the last scrape of a target went: `error` is "" if it went well."""

    url: str
    scraped_at: float  # seconds since 1970; before that if there was none
    error: str


def check_scraped(prometheus: Page, url: str) -> str:
    """Wait until Prometheus has scraped a URL from now on; return what is not known, "" if all is.

    Raises: CannotObserve: it failed.
    """
    since = time.time()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = _health(prometheus)
        if found is None:
            return f"its page lets nobody ask whether it scrapes; see {prometheus.url}/targets"
        # A changed address takes some seconds to get from the configuration to the scrapes.
        if found.scraped_at >= since and unquote(found.url) == unquote(url):
            if not found.error:
                return ""
            raise CannotObserve(
                f"Prometheus runs but cannot scrape {found.url}: {found.error}; set "
                f"{to_set(found.error)}"
            )
        time.sleep(_ASK_EVERY_SECONDS)
    return f"it has not scraped yet; see {prometheus.url}/targets"


def to_set(error: str) -> str:
    """Return which settings mend an error."""
    return next((told for part, told in reversed(_TO_SET.items()) if part in error), _ANYTHING)


def health_in(answer: Any) -> Health:
    """Return the health of the one target in an answer to /api/v1/targets, if it is there yet."""
    for target in answer["data"]["activeTargets"]:
        error = target["lastError"] or ("" if target["health"] == "up" else target["health"])
        scraped = datetime.fromisoformat(target["lastScrape"])
        at = scraped.timestamp() if scraped.year > 1970 else 0.0  # the year 1 is never
        return Health(target["scrapeUrl"], at, " ".join(error.split()))
    return Health("", 0.0, "")


def _health(prometheus: Page) -> Health | None:
    """Return how scraping goes; None if the page is shut for us."""
    answer = prometheus.ask("/api/v1/targets?state=active")
    if answer.status in SHUT:
        return None
    if answer.status != HTTPStatus.OK:  # 503 while it starts, as its rules are read
        return Health("", 0.0, "")
    return health_in(json.loads(answer.body))
