"""The control API's route for the history."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from xenprof.service.history import History as Keeper
from xenprof.service.http import RecordResponse
from xenprof.service.service import Service
from xenprof.wire.history import History, HistoryFile, KeptHistory


def history_routes(service: Service) -> list[Route]:
    """Return the route GET /api/v1/history: the host's time, figures, and the slices on disk."""

    async def history(request: Request) -> Response:
        """The slices of the history, and what became of them."""
        return RecordResponse(history_answer(service.snapshot().unix_ns, service.history))

    return [Route("/api/v1/history", history, methods=["GET"])]


def history_answer(now_unix_ns: int, keeper: Keeper | None) -> History:
    """Return what is told of a history, if one is kept."""
    if keeper is None:
        return History(now_unix_ns)
    stats = keeper.stats()
    return KeptHistory(
        now_unix_ns,
        True,
        slices=stats.slices,
        bytes=stats.bytes,
        written=stats.written,
        expired=stats.expired,
        dropped=stats.dropped,
        pushes=stats.pushes,
        files=tuple(
            HistoryFile(each.path.name, each.start_unix_ns, each.end_unix_ns, each.bytes)
            for each in keeper.slices
        ),
    )
