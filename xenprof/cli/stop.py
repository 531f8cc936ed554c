"""`xenprof stop`: ends the service and waits until everything is written."""

import fcntl
from pathlib import Path

import click

from xenprof.client import Client
from xenprof.home import home


@click.command("stop")
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Instead of $XENPROF_HOME.",
)
def command(state_dir: Path | None) -> None:
    """Stop the running service; returns when everything is written."""
    chosen_home = state_dir.absolute() if state_dir else home()
    Client(chosen_home).post("/api/v1/stop")
    with (chosen_home / "serve.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # granted when the service lets go of its HOME
