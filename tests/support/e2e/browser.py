"""Looks at pages with a real browser, which is told what to do over a pipe (DevTools protocol)."""

import base64
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60
_END = b"\0"


class Browser:
    """A Chromium without a window, with one tab. Use as a context."""

    def __init__(self, program: str, profile: Path) -> None:
        """Start it; `profile` is a folder for its files."""
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        # It reads commands from 3 and writes answers to 4. (--no-sandbox: tests may run as root.)
        self._process = subprocess.Popen(
            [
                "bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "browser",
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank",
            ],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._read = b""
        self._serial = 0
        self._session: str | None = None
        self.complaints: list[str] = []
        """What the page has logged as errors: exceptions, and what its policy forbids."""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        found = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def open(self, url: str, width: int, *, is_dark: bool = False) -> None:
        """Show a page on a screen of this width in CSS pixels."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=844, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self._call("Page.navigate", url=url)

    def ask(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def until(self, expression: str) -> Any:
        """Return the value of an expression as soon as it is true. Raises: AssertionError."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not (value := self.ask(expression)):
            assert time.monotonic() < end, f"never true: {expression}: {self.ask(_TEXT)}"
        return value

    def picture(self, path: Path) -> None:
        """Write a picture of the whole page, as PNG."""
        answer = self._call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._serial += 1
        message = {"id": self._serial, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + _END)
        while True:
            answer = self._next()
            if answer.get("id") == self._serial:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result
            if answer.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(str(answer["params"]["exceptionDetails"]))
            elif answer.get("method") == "Log.entryAdded":
                entry = answer["params"]["entry"]
                if entry["level"] == "error":
                    self.complaints.append(f"{entry['text']} {entry.get('url', '')}")

    def _next(self) -> dict[str, Any]:
        while _END not in self._read:
            data = os.read(self._from, 1 << 16)
            assert data, "the browser has ended"
            self._read += data
        line, _, self._read = self._read.partition(_END)
        message: dict[str, Any] = json.loads(line)
        return message


_TEXT = "document.body && document.body.innerText"
