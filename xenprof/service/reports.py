"""Makes a report of a session by `xenprof report`, in a process of its own, while it is wanted."""

import asyncio
import contextlib
import sys
from pathlib import Path

from starlette.requests import ClientDisconnect, Request

from xenprof.errors import XenprofError

_LONGEST_SECONDS = 60.0  # judgement


class NoReport(XenprofError):
    """Says why `xenprof report` made none."""

    http_status = 409


class ServiceStops(XenprofError):
    """Says that a report was given up because the service stops."""

    http_status = 503

    def __init__(self) -> None:
        """Say it."""
        super().__init__("the xenprof service is stopping")


async def wanted_report(
    request: Request, stop: asyncio.Event, home: Path, session: str, format: str
) -> bytes:
    """Return a report; its process ends with this, whatever happens.

    Raises: NoReport, ServiceStops (`stop` was set), ClientDisconnect (who asked has left).
    """
    making = asyncio.create_task(_made(home, session, format))
    leaving = asyncio.create_task(_left(request))
    stopping = asyncio.create_task(stop.wait())
    tasks = (making, leaving, stopping)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if making.done():
            return making.result()
        if stopping.done():
            raise ServiceStops
        leaving.result()  # it may have failed: the request has a body that is too large
        raise ClientDisconnect
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _left(request: Request) -> None:
    """Wait until the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _made(home: Path, session: str, format: str) -> bytes:
    """Return a report. Raises: NoReport."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "xenprof.cli.main", "report", f"--session={session}",
        f"--format={format}", f"--state-dir={home.absolute()}",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        made, said = await asyncio.wait_for(process.communicate(), _LONGEST_SECONDS)
    except TimeoutError:
        raise NoReport(f"the report takes longer than {_LONGEST_SECONDS:.0f} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError):  # it has ended
            process.kill()
        await process.wait()
    if process.returncode:
        lines = said.decode(errors="backslashreplace").strip().splitlines()
        raise NoReport(lines[-1] if lines else f"xenprof report ended with {process.returncode}")
    return made
