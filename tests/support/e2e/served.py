"""Serves a host without a model by a web configuration, as a process of its own."""

import http.client
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import bcrypt

from tests.support.paths import ROOT

PROGRAM = "tests.support.e2e.fake_service"
PASSWORD = "secret"


def configuration(cost: int = 4) -> str:
    """Return a web configuration with the user ann, whose hash has this cost."""
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(cost)).decode()
    return f"http_server_config: {{}}\nbasic_auth_users:\n  ann: {hashed}\n"


class Served:
    """A service with a web configuration, and a client of its TCP address."""

    def __init__(self, folder: Path, config: str) -> None:
        """Start it in `folder`, where the configuration and the log lie too."""
        self.file = folder / "web.yml"
        self.file.write_text(config)
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", PROGRAM, folder, "127.0.0.1:0", self.file],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        self.address = urlsplit(self.process.stdout.readline().strip()).netloc

    def status(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> int:
        """Return the status of the answer to one request on a connection of its own."""
        client = http.client.HTTPConnection(self.address, timeout=30)
        given = {"Content-Type": "application/json", **(headers or {})}
        client.request(method, path, body="{}" if method == "POST" else None, headers=given)
        status = client.getresponse().status
        client.close()
        return status

    def close(self) -> None:
        """End it, and wait until it has ended."""
        self.process.terminate()
        self.process.communicate(timeout=30)


def rewritten_in_place(path: Path) -> Iterator[None]:
    """Write the same configuration again in three steps, and stop after each of them."""
    content = path.read_text()
    first_key = content.index("\n") + 1
    with path.open("w") as file:
        yield
        file.write(content[:first_key])  # the first key alone, which is a valid file
        file.flush()
        yield
        file.write(content[first_key:])
    yield
