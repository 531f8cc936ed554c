"""Runs a service on a host without a model, as a program.

    fake_service.py HOME ADDRESS [WEB_CONFIG [MISSING...]]

WEB_CONFIG may be empty; MISSING are the capabilities that the host lacks, or `measurements`: it then
has no capability, and knows of its domains only names and running times.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from hypervisor.errors import HostError
from hypervisor.host import Host
from hypervisor.telemetry import HostSnapshot
from tests.support.fake_host import host_without
from tests.support.sparse_host import SparseHost
from xenprof.errors import XenprofError
from xenprof.service.reach import Reach
from xenprof.service.server import ServeSettings, serve


def tell(reach: Reach, _: Sequence[HostSnapshot]) -> None:
    sys.stdout.write(reach.url + "\n")
    sys.stdout.flush()


def host_lacking(missing: Sequence[str]) -> Host:
    """Return the host."""
    if "measurements" in missing:
        return SparseHost()
    host: Host = host_without(*missing)
    return host


def main(home: str, address: str, web_config: str = "", *missing: str) -> int:
    settings = ServeSettings(
        Path(home), address, web_config=Path(web_config) if web_config else None
    )
    try:
        serve(settings, lambda: [host_lacking(missing)], listening=tell)
    except (HostError, XenprofError) as error:
        sys.stderr.write(f"xenprof: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
