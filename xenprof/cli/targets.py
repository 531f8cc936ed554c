"""`xenprof targets`: which services there are, as a file that Prometheus reads (file_sd_config)."""

import json
from pathlib import Path

import click

from xenprof.cli.notes import note
from xenprof.cli.wholefile import write_whole
from xenprof.errors import UsageError


@click.command("targets")
@click.option(
    "--homes",
    multiple=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The state of a service (its HOME), or a folder with such folders; repeatable.",
)
@click.option(
    "--list",
    "lists",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with HOST:PORT or a URL in each line, # begins a comment; repeatable.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Replace this file, at once, in place of printing.",
)
def command(homes: tuple[Path, ...], lists: tuple[Path, ...], output: Path | None) -> None:
    """Print the services that run, as Prometheus' file_sd_config reads them.

    A running service answers the same at /api/v1/sd, for http_sd_config.
    """
    from xenprof.service.discovery import Places

    if not homes and not lists:
        raise UsageError("targets: say where to look, with --homes DIRECTORY or --list FILE")
    for folder in homes:
        if not Places((folder,)).groups():
            note(f"no service runs on {folder} or on a folder in it")
    text = json.dumps(Places(homes, lists).groups(), indent=2) + "\n"
    if output is None:
        print(text, end="")
        return
    write_whole(output, text.encode())
