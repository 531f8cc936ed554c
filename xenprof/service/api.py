"""The control API: HTTP and JSON in front of the host's thread.

Every endpoint is a coroutine that waits for a future of the driver, so requests need no threads.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from xenprof.home import DOMAIN_0, domain_root
from xenprof.service.arguments import BadArguments, request_of
from xenprof.service.callers_files import CallersFiles
from xenprof.service.domain_api import domain_routes
from xenprof.service.hidden_home import HiddenHome
from xenprof.service.history_api import history_routes
from xenprof.service.host_api import host_routes
from xenprof.service.http import Endpoint, RecordResponse, body_of, done, for_the_known
from xenprof.service.service import Service
from xenprof.service.trace_api import trace_routes
from xenprof.wire.answers import Done
from xenprof.wire.host_requests import StopService, Wait

_LONGEST_WAIT_SECONDS = 9e9  # in nanoseconds a number of 64 bits, 285 years


def api_routes(
    service: Service, hidden: HiddenHome, *, read_only: bool, stop: Callable[[], object]
) -> list[Route]:
    """Return the routes below /api/v1; with `read_only` strangers get 403 for changes.

    It also keeps the files that requests name inside domain 0. `stop` asks the server to end.
    """

    async def wait(request: Request) -> Response:
        asked = request_of(Wait, await body_of(request))
        if not 0 <= asked.seconds <= _LONGEST_WAIT_SECONDS:
            allowed = f"a number from 0 to {_LONGEST_WAIT_SECONDS:g}"
            raise BadArguments(f"wait: 'seconds' must be {allowed}, not {asked.seconds!r}")
        await done(service.wait(asked.seconds))
        return RecordResponse(Done())

    async def stop_server(request: Request) -> Response:
        await body_of(request)
        stop()
        return RecordResponse(Done())

    def changing(path: str, endpoint: Endpoint) -> Route:
        return Route(path, for_the_known(endpoint) if read_only else endpoint, methods=["POST"])

    files = CallersFiles(domain_root(service.home, DOMAIN_0) if read_only else None, hidden)
    return [
        *host_routes(service, changing, files, hides_reasons=hidden.is_hidden),
        *domain_routes(service, changing, files),
        # Waiting changes nothing, but it keeps a connection open, so it counts as a change.
        changing(Wait.route, wait),
        changing(StopService.route, stop_server),
        *trace_routes(service, service.traces, changing),
        *history_routes(service),
    ]
