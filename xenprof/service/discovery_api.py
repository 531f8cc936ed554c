"""The route that tells Prometheus which services there are (http_sd_config)."""

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from xenprof.service.discovery import Places

PATH = "/api/v1/sd"


def discovery_routes(places: Places, own_path: str) -> list[Route]:
    """Return the route. Without places it tells of this service, as whoever asks names it."""

    async def targets(request: Request) -> Response:
        """The services that there are, as Prometheus' http_sd_config reads them."""
        own = f"{request.url.scheme}://{request.url.netloc}{own_path}"
        is_named = request.url.netloc and request.url.port is not None
        groups = await to_thread.run_sync(places.groups, [own] if is_named else [])
        return JSONResponse(groups)

    return [Route(PATH, targets, methods=["GET"])]
