"""`xenprof agent`, and the one file that is built of it: reads a Xen host, and serves that."""

import contextlib
import os
import signal
import sys
from typing import Optional, Sequence

from hypervisor.live.agent.check import FATAL, findings
from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.opening import Open, this_host
from hypervisor.live.agent.options import CHECK, ONCE, PIPE, PROGRAM, Options, parse_options
from hypervisor.live.agent.pages.routes import Pages
from hypervisor.live.agent.polling.readings import Readings
from hypervisor.live.agent.process import notify, privileges
from hypervisor.live.agent.process.stderr import tell
from hypervisor.live.agent.recording import contexts, trace, xenoprof
from hypervisor.live.agent.report.fields import to_json
from hypervisor.live.agent.web.doors import open_doors
from hypervisor.live.agent.web.serving import Server

_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ROOT = "/"
_COMMANDS = {"trace": trace.main, "contexts": contexts.main, "xenoprof": xenoprof.main}
"""What is done for a while, into a file, by the first word of the command line."""
_LONGEST_LINE = 4096


def main(
    arguments: Optional[Sequence[str]] = None,
    version: str = "unknown",
    program: str = PROGRAM,
    open_host: Open = this_host,
) -> int:
    """Run the agent and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] in _COMMANDS:
        return _COMMANDS[given[0]](given[1:])
    try:
        try:
            options = parse_options(given, version, program)
        except SystemExit as ended:  # after --help, --version or a mistake
            _write("")
            return int(ended.code or 0)
        if options.do == CHECK:
            found = findings(options, open_host, _ROOT)
            _write("".join(f"{one}\n" for one in found))
            return int(any(one.verdict == FATAL for one in found))
        with contextlib.ExitStack() as held:
            _run(options, version, open_host, held)
    except AgentError as error:
        tell(f"{program}: {error}")
        return error.exit_code
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # else who reads has gone
            tell(f"{program}: {error.filename or 'standard output'}: {error.strerror or error}")
        _drop_output()
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(options: Options, version: str, open_host: Open, held: contextlib.ExitStack) -> None:
    supervisor = notify.take_address()
    is_server = options.do not in (ONCE, PIPE)
    doors = (
        open_doors(options.addresses, options.unix_socket, options.web_config, held, tell)
        if is_server
        else []
    )
    host = held.enter_context(contextlib.closing(open_host(_ROOT)))
    for kept in privileges.give_up():
        tell(f"kept: {kept}")
    if options.do == ONCE:
        _write(to_json(host.poll()) + "\n")
        return
    if options.sample_hz:
        host.sample(options.sample_hz)
    if options.is_traced:
        host.trace()
    readings = Readings(host.poll, options.period_seconds, tell)
    if not is_server:
        _pipe(readings)
        return
    server = Server(doors, Pages(readings, options.telemetry_path, version).answer, tell)
    for number in _ENDING_SIGNALS:
        signal.signal(number, lambda *_: server.stop())
    for door in doors:
        tell(f"serving on {door}")
    notify.tell(supervisor, "READY=1")
    server.run()
    notify.tell(supervisor, "STOPPING=1")


def _pipe(readings: Readings) -> None:
    """Write a report for each line that is read, until there are no more. Raises: NotRead."""
    if sys.stdin is None:
        return
    for _ in iter(lambda: sys.stdin.buffer.readline(_LONGEST_LINE), b""):
        _write(to_json(readings.fresh().report) + "\n")


def _write(text: str) -> None:
    if sys.stdout is not None:  # there is none where it was closed before the start
        letters = sys.stdout.encoding or "utf-8"  # names may have others
        sys.stdout.write(text.encode(letters, "backslashreplace").decode(letters))
        sys.stdout.flush()


def _drop_output() -> None:
    """Discard what is left to write: Python would complain again when it ends."""
    if sys.stdout is None:
        return
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
