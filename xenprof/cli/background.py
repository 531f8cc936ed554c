"""Runs a service in the background: the parent returns when it is ready, or says why it is not."""

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from hypervisor.errors import HostError
from hypervisor.ownfiles import opener
from xenprof.cli.telling import Tell, tell_user
from xenprof.errors import XenprofError

Body = Callable[[Tell], None]
"""The service; it calls its argument with a line for the user once it is ready."""


def own_log(home: Path) -> Path:
    """Return the log in HOME, for its user alone. Raises: CannotServe."""
    from xenprof.service.own_home import CannotServe, claim

    claim(home)
    log = home / "serve.log"
    try:
        fd = opener(str(log), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    except OSError as error:
        raise CannotServe(f"{log} cannot be written: {error.strerror}") from None
    os.fchmod(fd, 0o600)
    os.close(fd)
    return log


def run_in_background(body: Body, log: Path) -> int:
    """Run `body` in a process of its own with its output in `log`; return the exit code.

    It may be called only while this process has no other threads.
    """
    from xenprof.service.own_home import make_private_folder

    try:
        make_private_folder(log.parent)
        log.open("a").close()
    except OSError as error:
        print(f"xenprof: {log} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        _child(body, log, writer)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        text = pipe.read()  # returns when the child is ready or has died
    if not text:
        print(f"xenprof: the service ended while it started; see {log}", file=sys.stderr)
        return 1
    line, note, exit_code = json.loads(text)
    if exit_code:
        print(line, file=sys.stderr)
    else:
        tell_user(line, note)
    return int(exit_code)


def _child(body: Body, log: Path, writer: int) -> None:
    """Run `body` in the child and exit there: the parent's code must not run a second time."""
    exit_code = 1
    try:
        os.setsid()
        with log.open("a") as output, Path(os.devnull).open() as nothing:
            os.dup2(nothing.fileno(), 0)
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)

        pipe = os.fdopen(writer, "w", encoding="utf-8")

        def tell(line: str, note: str = "", exit_code: int = 0) -> None:
            if not pipe.closed:
                json.dump([line, note, exit_code], pipe)
                pipe.close()
            with contextlib.suppress(OSError):  # the log's disk may be full
                tell_user(line, note)

        try:
            body(tell)
            exit_code = 0
        except (HostError, XenprofError) as error:
            tell(f"xenprof: {error}", exit_code=error.exit_code)
            exit_code = error.exit_code
        except OSError as error:
            if error.filename is None:
                raise
            tell(f"xenprof: {error.filename}: {error.strerror}", exit_code=exit_code)
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(exit_code)
