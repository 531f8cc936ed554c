"""opcontrol in this process: over a fake host, without a service."""

import sys
from pathlib import Path

from hypervisor.elf import ElfSymbol, write_elf
from hypervisor.errors import HostError
from tests.support.fake_host import KERNEL_START, VMLINUX, XEN, XEN_START, FakeHost
from tests.support.json_service import JsonService
from xenprof.cli.opcontrol import main
from xenprof.client import ServiceError
from xenprof.home import domain_root
from xenprof.session.sessions import Sessions
from xenprof.wire.codec import decode
from xenprof.wire.opcontrol import Setup, Status

TEXT_SIZE = 0x2000


class Client(JsonService):
    """The control API in this process, over a fake host."""

    def __init__(self, host: FakeHost, home) -> None:
        self.sessions = Sessions(host, home)
        self.host = host
        self.setups: list[Setup | None] = []

    def answer_get(self, path):
        _, _, _, _, domain, _, name = path.split("/", 6)
        try:
            return {"value": self.host.profiler.oprofile(domain).read(name)}
        except HostError as error:
            raise ServiceError(str(error), type=type(error).__name__) from None

    def answer_post(self, path, given):
        _, _, _, _, domain, _, verb = path.split("/")
        setup = decode(Setup, given["setup"]) if given.get("setup") else None
        if verb == "status":
            status = self.sessions.status(domain)
            return Status((status.line,), status=status)
        if verb in ("start", "start-daemon", "reset"):
            self.setups.append(setup)
            outcome = getattr(self.sessions, verb.replace("-", "_"))(domain, setup)
        elif verb == "save":
            outcome = self.sessions.save(domain, given["name"], setup)
        else:
            outcome = getattr(self.sessions, verb)(domain)
        return outcome


class Shell:
    """A shell that runs opcontrol and keeps what it printed last."""

    def __init__(self, home, capsys) -> None:
        self.home = home
        self.client = Client(FakeHost("Domain-0", "web"), home)
        self.capsys = capsys
        self.out = self.err = ""

    def __call__(self, *words: str) -> int:
        code = main(words, client=self.client, state=self.home)
        self.out, self.err = self.capsys.readouterr()
        return code

    def root(self, domain="Domain-0"):
        return domain_root(self.home, domain)

    def daemonrc(self, domain="Domain-0", name="daemonrc"):
        path = self.root(domain) / "root/.oprofile" / name
        return path.read_text().splitlines() if path.exists() else []


def write_images(home) -> None:
    """Write a kernel and a hypervisor into each domain's root."""
    for domain in ("Domain-0", "web"):
        for path, address in ((VMLINUX, KERNEL_START), (XEN, XEN_START)):
            image = domain_root(home, domain) / path.lstrip("/")
            image.parent.mkdir(parents=True)
            symbols = [
                ElfSymbol("first", address, 16), ElfSymbol("_etext", address + TEXT_SIZE, 0)
            ]  # fmt: skip
            image.write_bytes(
                write_elf(symbols, text_address=address, text_size=TEXT_SIZE, build_id=None)
            )


def at_once(home: str, *words: str) -> None:
    """Run opcontrol over a fake host of its own, while others do so on the same HOME."""
    place = Path(home)
    sys.exit(main(words, client=Client(FakeHost("Domain-0", "web"), place), state=place))
