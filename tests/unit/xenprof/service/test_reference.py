"""docs/api.md is what the routes are."""

import re

import pytest
from starlette.routing import Route

from tests.support.fake_host import FakeHost
from tests.support.paths import ROOT
from xenprof.service.apidoc import markdown, requests_of
from xenprof.service.domain_api import DOMAIN_READS
from xenprof.service.domain_commands import DOMAIN_COMMANDS
from xenprof.service.reference import app_of
from xenprof.wire import domain_requests

DOCUMENT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return app_of(FakeHost(), tmp_path_factory.mktemp("home"))


def test_the_document_is_as_the_routes_are(app):
    assert DOCUMENT == markdown(app)


def test_every_route_is_in_the_document(app):
    paths = {
        re.sub(r"\{.*\}", "READER", route.path)
        for route in app.routes
        if isinstance(route, Route) and "{rest:path}" not in route.path
    }

    assert set() == {path for path in paths if f"`{path}`" not in DOCUMENT}


def test_every_command_on_a_domain_is_in_the_document():
    described = {kind.command for kind in requests_of(domain_requests.__name__)}

    assert set(DOMAIN_COMMANDS) == described


@pytest.mark.parametrize("path", DOMAIN_READS)
def test_what_can_be_read_is_described_with_a_sentence(path):
    assert DOMAIN_READS[path].endswith(".")
