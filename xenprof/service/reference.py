"""Prints the HTTP API as a document (`python -m xenprof.service.reference > docs/api.md`).

It is made from the routes of the application, and from the records of the requests.
"""

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from starlette.applications import Starlette

from hypervisor.host import Host
from xenprof.service.apidoc import markdown
from xenprof.service.app import create_app
from xenprof.service.exporter import ExporterSettings
from xenprof.service.loading import installed
from xenprof.service.service import Service


def app_of(host: Host, home: Path) -> Starlette:
    """Return the application as it is served for a host, for its routes."""
    service = Service(host, home, loaders=installed(), settings=ExporterSettings())
    service.start()
    try:
        return create_app(service, read_only=True)
    finally:
        service.close()


def main(arguments: Iterable[str] = ()) -> None:
    """Print the document for the built-in host."""
    from xenprof.service.driver import build_host

    with tempfile.TemporaryDirectory() as home:
        sys.stdout.write(markdown(app_of(build_host("grumble"), Path(home))))


if __name__ == "__main__":
    main()
