"""`xenprof stop`: ends the service and waits until everything is written."""

import fcntl
from pathlib import Path

import click

from xenprof.cli.options import home_at, state_dir_option
from xenprof.client import Client, ServiceNotRunning
from xenprof.errors import XenprofError
from xenprof.service.home_lock import LAST_WORDS, LOCK_NAME
from xenprof.wire.host_requests import StopService


class NotAllWritten(XenprofError):
    """Says what the service could not write at its end."""


class NothingToStop(XenprofError):
    """Says that no service runs."""


@click.command("stop")
@state_dir_option
def command(state_dir: Path | None) -> None:
    """Stop the running service; returns when everything is written."""
    chosen_home = home_at(state_dir)
    try:
        Client(chosen_home).do(StopService())
    except ServiceNotRunning:  # whose message says how to start it, which is not wanted
        raise NothingToStop(f"the xenprof service is not running on {chosen_home}") from None
    with (chosen_home / LOCK_NAME).open(errors="replace") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # free when the service has released its HOME
        told = lock.read()
    if told.startswith(LAST_WORDS):
        raise NotAllWritten(f"the service has ended; {told.removeprefix(LAST_WORDS).rstrip()}")
