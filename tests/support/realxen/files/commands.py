"""Runs what the tests ask for in domain 0, a machine that is thrown away.

POST / runs its body in bash (X-Exit-Code has the code); PUT writes a file, GET reads one.
"""

import http.server
import pathlib
import subprocess

PORT = 8022


class Commands(http.server.BaseHTTPRequestHandler):
    """Answers one request."""

    def do_POST(self) -> None:
        """Run a command."""
        done = subprocess.run(
            ["bash", "-c", self._body().decode()],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self._answer(done.stdout, done.returncode)

    def do_PUT(self) -> None:
        """Write a file."""
        pathlib.Path(self.path).write_bytes(self._body())
        self._answer(b"", 0)

    def do_GET(self) -> None:
        """Read a file."""
        try:
            self._answer(pathlib.Path(self.path).read_bytes(), 0)
        except OSError as error:
            self._answer(str(error).encode(), 1)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, body: bytes, code: int) -> None:
        self.send_response(200)
        self.send_header("X-Exit-Code", str(code))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


server = http.server.ThreadingHTTPServer(("0.0.0.0", PORT), Commands)
pathlib.Path("/dev/console").write_text("DOM0-READY\n")
server.serve_forever()
