"""The control API's routes for one domain: reading it and acting on it.

GET  /api/v1/domains/DOMAIN/NAMES    see `read_of_domain`
POST /api/v1/domains/DOMAIN/VERB     see `domain_commands`, and `opcontrol/VERB`
"""

from collections.abc import Mapping
from urllib.parse import unquote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hypervisor.host import Host, asked_toolstack_of, profiler_of
from xenprof.service.callers_files import CallersFiles
from xenprof.service.commands import Command
from xenprof.service.domain_commands import DOMAIN_COMMANDS
from xenprof.service.http import Changing, RecordResponse, WrongMethod, body_of, done
from xenprof.service.service import Service
from xenprof.wire.answers import Credit, ProcTexts, SxpAnswer, Text
from xenprof.wire.devices import Devices
from xenprof.wire.opcontrol import Value

_DOMAINS = "/api/v1/domains/"
DOMAIN_READS: Mapping[str, str] = {
    "sched-credit": "Weight and cap of the credit scheduler.",
    "sched-sedf": "Parameters of the EDF scheduler.",
    "sxp": "The domain as `xm list --long` prints it.",
    "console": "What the domain has written to its console.",
    "proc": "The files of the domain's /proc, as the programs in it need them.",
    "proc/PATH": "One file of the domain's /proc.",
    "sys/PATH": "One file of the domain's /sys: the queues of its block devices.",
    "devices/KIND": "The domain's devices of a kind: vbd or vif.",
    "oprofilefs/PATH": "A file of the domain's oprofilefs, such as stats/cpu0/sample_received.",
}
"""What can be read of a domain, below its path, and what it is."""
_READ = ("sxp", "console", "proc", "sys", "devices", "oprofilefs")


def domain_routes(service: Service, changing: Changing, files: CallersFiles) -> list[Route]:
    """Return the routes."""

    async def read(request: Request) -> Response:
        match _segments(request):
            case [reference, *names] if names:
                told = service.submit(lambda host: read_of_domain(host, reference, names))
                return RecordResponse(await done(told))
        raise HTTPException(404)

    async def act(request: Request) -> Response:
        match _segments(request):
            case [_, name, *rest] if (
                name in _READ and " ".join([name, *rest]) not in DOMAIN_COMMANDS
            ):
                raise WrongMethod("GET, HEAD")
            case [reference, *verbs] if verbs:
                command = Command(" ".join(verbs), reference, await body_of(request))
                answer = await done(service.perform(files.placed(command)))
                return RecordResponse(files.told(answer))
        raise HTTPException(404)

    return [
        Route(_DOMAINS + "{rest:path}", read, methods=["GET"]),
        changing(_DOMAINS + "{rest:path}", act),
    ]


def read_of_domain(host: Host, domain: str, names: list[str]) -> object:
    """Return the answer to `GET /domains/DOMAIN/NAMES`. Raises: HostError, HTTPException."""
    match names:
        case ["sched-credit"]:
            weight, cap_percent = asked_toolstack_of(host).resources.sched_credit(domain)
            return Credit(weight, cap_percent)
        case ["sched-sedf"]:
            return asked_toolstack_of(host).resources.sched_sedf(domain)
        case ["sxp"]:
            return SxpAnswer(asked_toolstack_of(host).views.sxp(domain))
        case ["console"]:
            return Text(asked_toolstack_of(host).views.console(domain))
        case ["proc"]:
            return ProcTexts(asked_toolstack_of(host).views.proc_texts(domain))
        case ["proc", *path]:
            return Text(asked_toolstack_of(host).views.proc(domain, "/".join(path)))
        case ["sys", *path]:
            return Text(asked_toolstack_of(host).views.sys(domain, "/".join(path)))
        case ["devices", kind]:
            return Devices(tuple(asked_toolstack_of(host).devices.rows(domain, kind)))
        case ["oprofilefs", *path]:
            return Value(profiler_of(host).oprofile(domain).read("/".join(path)))
    if " ".join(names) in DOMAIN_COMMANDS or names[0] == "opcontrol":
        raise WrongMethod("POST")
    raise HTTPException(404)


def _segments(request: Request) -> list[str]:
    """Return the parts after /domains/, decoded separately, as a name may contain a slash."""
    path: str = request.scope["raw_path"].decode("ascii", "replace")
    return [unquote(segment) for segment in path.removeprefix(_DOMAINS).split("/")]
