"""URLs are shown without what may be secret, and texts without what has been sent."""

import pytest

from xenprof.discretion import Secrets, shown_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://host:4318/x", "http://host:4318/x"),
        ("http://ann:secret@host/x", "http://host/x"),
        ("http://host/x?token=secret#secret", "http://host/x"),
        ("http://host/x?back=http://secret", "http://host/x"),
        ("http://host/a@b", "http://host/a@b"),
        ("http://ann:se/cret@host", "http://host"),
        ("http://ann:se?cret@host", "http://host"),
        ("host:4317", "host:4317"),
        ("ann:secret@host:4317", "host:4317"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_a_url_is_shown_without_password_and_query(url: str, expected: str):
    assert shown_url(url) == expected


def test_the_scheme_of_a_header_is_no_secret():
    assert Secrets("http://h", ["Bearer abcdef"]).hide("Bearer, abcdef") == "Bearer, ***"


def test_what_is_short_is_no_secret():
    assert Secrets("http://h", ["1"]).hide("HTTP 401") == "HTTP 401"
