import pytest

from dashboards.observe.health import Health, health_in, to_set

LOCAL = "https://127.0.0.1:1/metrics"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            "server returned HTTP status 401 Unauthorized",
            "OBSERVE_USER and OBSERVE_PASSWORD_FILE",
        ),
        ("server returned HTTP status 404 Not Found", "OBSERVE_METRICS_PATH"),
        (
            f'Get "{LOCAL}": x509: certificate signed by unknown authority',
            "OBSERVE_CA_FILE",
        ),
        (
            f'Get "{LOCAL}": tls: failed to verify certificate: x509: cannot validate certificate '
            "for 127.0.0.1 because it doesn't contain any IP SANs",
            "OBSERVE_SERVER_NAME",
        ),
        (
            f'Get "{LOCAL}": x509: certificate is valid for 10.0.0.1, not 127.0.0.1',
            "OBSERVE_SERVER_NAME",
        ),
        (
            f'Get "{LOCAL}": remote error: tls: certificate required',
            "OBSERVE_CERT_FILE and OBSERVE_KEY_FILE",
        ),
        (f'Get "{LOCAL}": EOF', "what docs/serving.md lists"),
    ],
)
def test_an_error_tells_what_to_set(error: str, expected: str):
    assert expected == to_set(error)


def answer(health: str, error: str, scraped: str) -> object:
    target = {
        "health": health, "lastError": error, "lastScrape": scraped, "scrapeUrl": LOCAL,
    }  # fmt: skip
    return {"data": {"activeTargets": [target]}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer("up", "", "2026-01-02T03:04:05.5Z"), Health(LOCAL, 1767323045.5, "")),
        (
            answer("down", "no\nway", "2026-01-02T03:04:05.123456789+00:00"),
            Health(LOCAL, 1767323045.123456, "no way"),
        ),
        (answer("unknown", "", "0001-01-01T00:00:00Z"), Health(LOCAL, 0.0, "unknown")),
        ({"data": {"activeTargets": []}}, Health("", 0.0, "")),
    ],
)
def test_the_health_of_a_target_is_read(given: object, expected: Health):
    assert expected == health_in(given)
