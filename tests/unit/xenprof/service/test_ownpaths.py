from starlette.applications import Starlette
from starlette.routing import Route

from xenprof.service.ownpaths import is_own


def test_every_route_but_those_of_exporters_is_the_services_own(app: Starlette):
    paths = [route.path for route in app.routes if isinstance(route, Route)]

    assert ["/metrics"] == [path for path in paths if not is_own(path)]
