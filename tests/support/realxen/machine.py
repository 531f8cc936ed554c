"""Runs a real Xen 4.17 with a domain 0 and guests, in an emulator that needs no virtualization.

Everything takes some ten times as long as on hardware, and there is no PMU: interrupts can be sent
in the place of those that its counters would send.
"""

import socket
import subprocess
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event

from tests.support.e2e.peers import free_port
from tests.support.realxen.images import Images

_COMMANDS_PORT = 8022
_MONITOR_BYTES = 65536
_BOOT_SECONDS = 400  # some 20 on an idle machine
_SERIAL_READY, _SERIAL_FAILED = "DOM0-READY", ("DOM0-FAILED", "Panic on CPU", "Kernel panic")
_XEN_OPTIONS = "console=com1 com1=115200,8n1 dom0_mem=1024M,max:1024M dom0_max_vcpus=1 xsave=0"
_GUEST = """\
name="{name}"
type="pv"
kernel="/srv/guest/vmlinux"
ramdisk="/srv/guest/initramfs.gz"
memory=160
vcpus={vcpus}
cpu_weight={weight}
cap={cap}
cpus="{pcpus}"
extra="console=hvc0 {wishes}"
vif=["bridge=xenbr0"]
{disk}
"""


class CommandFailed(Exception):
    """A command in domain 0 ended with another code than 0."""


class Machine:
    """One emulated machine. It listens on loopback alone."""

    def __init__(
        self,
        images: Images,
        folder: Path,
        scheduler: str = "credit",
    ) -> None:
        """`folder` gets the console's log."""
        self._images = images
        self._monitor = folder / "monitor"
        self.serial = folder / "serial.log"
        self._port = free_port()
        self.forwarded_port = free_port()
        """Here domain 0's port 10032 answers."""
        self._options = f"{_XEN_OPTIONS} sched={scheduler}"
        self._process: subprocess.Popen[bytes] | None = None

    def boot(self) -> None:
        """Start it and wait until domain 0 takes commands. Raises: RuntimeError."""
        forward = f"hostfwd=tcp:127.0.0.1:{self._port}-:{_COMMANDS_PORT}"
        forward += f",hostfwd=tcp:127.0.0.1:{self.forwarded_port}-:10032"
        images = self._images
        self._process = subprocess.Popen(
            [
                "nice", "-n", "10", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-M", "pc",
                "-cpu", "max,-smap", "-smp", "2", "-m", "3072", "-display", "none", "-no-reboot",
                "-kernel", str(images.xen), "-append", self._options,
                "-initrd", f"{images.kernel} console=hvc0 loglevel=4,{images.initramfs}",
                "-drive", f"file={images.disk},format=raw,if=virtio,snapshot=on",
                "-netdev", f"user,id=n0,restrict=on,{forward}",
                "-device", "virtio-net-pci,netdev=n0,romfile=",
                "-serial", f"file:{self.serial}", "-monitor", f"unix:{self._monitor},server=on,wait=off",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        deadline = time.monotonic() + _BOOT_SECONDS
        while time.monotonic() < deadline:
            told = self.serial.read_text(errors="replace") if self.serial.exists() else ""
            if _SERIAL_READY in told:
                return
            if self._process.poll() is not None or any(one in told for one in _SERIAL_FAILED):
                break
            Event().wait(0.2)
        self.stop()
        raise RuntimeError(f"domain 0 did not come up: {told[-500:]}")

    def run(self, command: str, seconds: float = 120) -> str:
        """Run a command of bash in domain 0; return its output. Raises: CommandFailed."""
        code, body = self._ask("POST", "/", command.encode(), seconds)
        if code:
            raise CommandFailed(f"{command}: {code}: {body.decode(errors='replace')[-2000:]}")
        return body.decode(errors="replace")

    def put(self, content: bytes, path: str) -> None:
        """Write a file in domain 0."""
        self._ask("PUT", path, content, 60)

    def get(self, path: str) -> bytes:
        """Read a file of domain 0. Raises: CommandFailed."""
        code, body = self._ask("GET", path, b"", 60)
        if code:
            raise CommandFailed(body.decode(errors="replace"))
        return body

    def create(
        self, name: str, *, weight: int = 256, cap: int = 0, pcpus: str = "all", vcpus: int = 1,
        wishes: str = "", has_disk: bool = False,
    ) -> None:  # fmt: skip
        """Create a guest. `wishes`: what its first process does, see files/guest-init."""
        disk = f'disk=["file:/tmp/{name}.img,xvda,w"]' if has_disk else ""
        text = _GUEST.format(
            name=name, weight=weight, cap=cap, pcpus=pcpus, vcpus=vcpus, wishes=wishes, disk=disk
        )
        self.put(text.encode(), f"/tmp/{name}.cfg")
        if has_disk:
            self.run(f"truncate -s 16M /tmp/{name}.img")
        self.run(f"xl create -q /tmp/{name}.cfg")

    def interrupt(self, times: int, every_seconds: float) -> int:
        """Send pcpu 0 interrupts that cannot be masked (NMI); return how many."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self._monitor))
            for _ in range(times):
                monitor.sendall(b"nmi\n")
                monitor.recv(_MONITOR_BYTES)  # else it would stop to answer
                Event().wait(every_seconds)
        return times

    def stop(self) -> None:
        """End the machine."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
            self._process = None

    def _ask(self, method: str, path: str, body: bytes, seconds: float) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=seconds)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return int(answer.headers["X-Exit-Code"]), answer.read()
        except HTTPException as error:
            raise CommandFailed(f"{method} {path}: {error}") from error
        finally:
            connection.close()
