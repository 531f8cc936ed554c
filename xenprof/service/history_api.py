"""The control API's route for the history."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from xenprof.service.service import Service


def history_routes(service: Service) -> list[Route]:
    """Return the route GET /api/v1/history: the host's time, figures, and the slices on disk."""

    async def history(request: Request) -> Response:
        answer: dict[str, object] = {"now_unix_ns": service.snapshot().unix_ns, "enabled": False}
        if service.history is not None:
            answer |= {"enabled": True, **asdict(service.history.stats())}
            answer["files"] = service.history.rows()
        return JSONResponse(answer)

    return [Route("/api/v1/history", history, methods=["GET"])]
