"""Attacks a service and the programs with hostile inputs, and returns what went wrong."""

import asyncio
import json
from itertools import islice
from pathlib import Path
from typing import Any

from tests.support.hostile.calling import call
from tests.support.hostile.programs import commands
from tests.support.hostile.requests import HostileRequest, requests
from tests.support.hostile.served import serving
from tests.support.known_sessions import write_domain
from tests.support.service_fakes import ask

_PATIENCE_SECONDS = 30
_AFTERWARDS = ("/metrics", "/api/v1/snapshot", "/api/v1/xenstore", "/-/ready")
_SHOWN = 200


def attack_service(home: Path, seed: int, count: int) -> list[str]:
    """Send `count` requests to a service on `home`; return those that it could not bear."""
    home.mkdir()
    with serving(home) as (service, app):
        faults = asyncio.run(_send(app, seed, count))
        return faults if service.is_ready else [*faults, "the model has ended"]


async def _send(app: Any, seed: int, count: int) -> list[str]:
    attacks = list(islice(requests(seed), count))
    attacks += [HostileRequest("GET", path, b"") for path in _AFTERWARDS]
    faults = [(request, await _fault(app, request)) for request in attacks]
    return [f"{said}: {request}"[:_SHOWN] for request, said in faults if said]


async def _fault(app: Any, request: HostileRequest) -> str:
    """Return what is wrong with the answer to a request, "" if nothing is."""
    asking = ask(app, request.method, request.path, request.body)
    try:
        status, _, content = await asyncio.wait_for(asking, _PATIENCE_SECONDS)
        text = content.decode()
        if status >= 400:
            assert json.loads(text)["error"]["message"], "it says nothing"
        assert status < 500, f"{status}: {text}"
        assert request.path not in _AFTERWARDS or status == 200, f"{status}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:_SHOWN]
    return ""


def attack_programs(place: Path, seed: int, count: int) -> list[str]:
    """Run `count` command lines in the current folder, `place`; return those that end badly."""
    faults = []
    (place / "home").mkdir()
    (place / "FILES").mkdir()
    write_domain(place / "seen")
    with serving(place / "home") as (service, _):
        (place / "SCENARIO").write_bytes((place / "home" / "tiny.toml").read_bytes())
        for hostile in islice(commands(seed), count):
            (place / "FILE").write_bytes(hostile.file)
            if fault := call(hostile.words).fault:
                shown = " ".join(word[:40] for word in hostile.words)
                faults.append(f"{fault}: {shown} (FILE {hostile.file[:40]!r})")
        return faults if service.is_ready else [*faults, "the model has ended"]
