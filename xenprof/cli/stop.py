"""`xenprof stop`: ends the service and waits until everything is written."""

import fcntl
from pathlib import Path

import click

from xenprof.cli.options import home_at, state_dir_option
from xenprof.client import Client
from xenprof.wire.host_requests import StopService


@click.command("stop")
@state_dir_option
def command(state_dir: Path | None) -> None:
    """Stop the running service; returns when everything is written."""
    chosen_home = home_at(state_dir)
    Client(chosen_home).do(StopService())
    with (chosen_home / "serve.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # free when the service has released its HOME
