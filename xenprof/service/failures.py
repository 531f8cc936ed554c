"""Turns errors into answers: in full on the control socket, without the machine's files over TCP.

This is the only place that knows error classes.
"""

import errno
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from hypervisor.errors import HostError
from xenprof.errors import XenprofError
from xenprof.service.hidden_home import HiddenHome
from xenprof.service.http import FailureResponse, WrongMethod
from xenprof.wire.failure import Failure

log = logging.getLogger(__name__)

Handler = Callable[[Request, Exception], Awaitable[Response]]


class Failures:
    """Answers errors; to strangers without the place of HOME, and without a word about bugs."""

    def __init__(self, hidden: HiddenHome) -> None:
        """Tell all, or, over TCP, hide where the HOME is."""
        self._hidden = hidden
        self._tells_all = not hidden.is_hidden

    @property
    def handlers(self) -> Mapping[type[Exception], Handler]:
        """Return what Starlette calls for each class of errors."""
        return {
            HostError: self._caused_by_user,
            XenprofError: self._caused_by_user,
            HTTPException: self._http_error,
            ClientDisconnect: _nobody_there,
            OSError: self._system_error,
            Exception: self._internal_error,
        }

    async def _caused_by_user(self, request: Request, error: Exception) -> Response:
        if not isinstance(error, HostError | XenprofError):
            raise error
        failure = Failure(type(error).__name__, self._hidden.told(str(error)), error.exit_code)
        answer = self._answer(failure, error.http_status)
        if isinstance(error, WrongMethod):
            answer.headers["Allow"] = error.allowed
        return answer

    async def _system_error(self, request: Request, error: Exception) -> Response:
        """Answer that a file could not be read or written: no bug, as the system refuses it."""
        if not isinstance(error, OSError) or error.errno is None:
            return await self._internal_error(request, error)
        reason = error.strerror or str(error)
        text = reason if error.filename is None else f"{error.filename}: {reason}"
        log.error("%s %s: %s", request.method, request.url.path, text)
        status = 507 if error.errno in (errno.ENOSPC, errno.EDQUOT) else 400
        return self._answer(Failure("OSError", text if self._tells_all else reason), status)

    async def _internal_error(self, request: Request, error: Exception) -> Response:
        """Answer after a bug, which the server logs with its traceback."""
        text = "internal error, see the log of the service"
        if self._tells_all:
            text = f"a bug in xenprof, see its log: {error!r}"
        return self._answer(Failure("InternalError", text), 500)

    async def _http_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        message = f"{error.detail}: {request.method} {request.url.path}"
        answer = self._answer(Failure("HTTPException", message), error.status_code)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            answer.headers["Allow"] = ", ".join(sorted(_methods(request)))
        return answer

    def _answer(self, failure: Failure, status: int) -> Response:
        return FailureResponse(failure, status, tells_exit_code=self._tells_all)


def _methods(request: Request) -> set[str]:
    """Return what a path can be asked for: several routes may share it."""
    routes = (route for route in request.app.routes if isinstance(route, Route))
    found = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in found for method in route.methods or ()}


async def _nobody_there(request: Request, error: Exception) -> Response:
    """Return what nobody reads: a client that leaves in the middle of a body is no bug."""
    return Response(status_code=499)
