"""Runs a service on a host without a model, as a program.

    fake_service.py HOME ADDRESS [WEB_CONFIG [MISSING...]]

WEB_CONFIG may be empty; MISSING are the capabilities that the host lacks.
"""

import sys
from pathlib import Path

from hypervisor.errors import HostError
from tests.support.fake_host import host_without
from xenprof.errors import XenprofError
from xenprof.service.server import ServeSettings, serve


def tell(url: str) -> None:
    sys.stdout.write(url + "\n")
    sys.stdout.flush()


def main(home: str, address: str, web_config: str = "", *missing: str) -> int:
    settings = ServeSettings(
        Path(home), address, web_config=Path(web_config) if web_config else None
    )
    try:
        serve(settings, lambda: host_without(*missing), listening=tell)
    except (HostError, XenprofError) as error:
        sys.stderr.write(f"xenprof: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
