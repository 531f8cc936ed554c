"""Shows the host, domains' configurations, consoles and files, xenstore, and xend's log."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from hypervisor.domainfile import DomainFile
from hypervisor.shutdown import REASONS
from hypervisor.toolstack.config.domain_sxp import described_sxp
from hypervisor.toolstack.config.sxp import Sxp
from hypervisor.toolstack.domaininfo import current_spec
from hypervisor.toolstack.hostinfo import info_rows
from hypervisor.toolstack.xendcontext import XendContext

_EXAMPLES = Path(__file__).parent / "etc"  # where xm create looks for configurations
_EXAMPLES_MTIME = 1_178_668_800  # 9 May 2007, the day of the talk


class ProcFiles(Protocol):
    """Reads the /proc of every domain."""

    def read(self, domid: int, name: str) -> str:
        """Return the text of a file by its name below /proc; "" lists all names, one a line.

        Raises: Refused, with cat's message.
        """
        ...

    def read_all(self, domid: int) -> Mapping[str, str]:
        """Return the texts of all files of a domain's /proc, by name, at one moment."""
        ...


class SysFiles(Protocol):
    """Reads and writes the /sys of every domain."""

    def read(self, domid: int, name: str) -> str:
        """Return the text of a file by its name below /sys; "" lists all names, one a line.

        Raises: Refused, with cat's message.
        """
        ...

    def write(self, domid: int, name: str, text: str) -> None:
        """Write a file by its name below /sys. Raises: Refused, with the shell's message."""
        ...


class Views:
    """Shows the host and its domains (see `control.Views`)."""

    def __init__(self, context: XendContext, proc_files: ProcFiles, sys_files: SysFiles) -> None:
        self._context = context
        self._proc_files = proc_files
        self._sys_files = sys_files

    def info(self) -> Mapping[str, str]:
        """Return the rows of `xm info`, in order."""
        return info_rows(self._context.hypervisor.physical_info(), self._context.tools)

    def take_log(self) -> Sequence[str]:
        """Return the lines of xend.log since the last call."""
        return self._context.log.take()

    def xenstore(self) -> Sequence[tuple[str, str]]:
        """Return (path, text) of every node, depth first."""
        return list(self._context.store.walk())

    def console(self, domain: str) -> str:
        """Return what the guest has recently written to its console."""
        return self._context.hypervisor.console(self._context.find(domain).domid)

    def proc_texts(self, domain: str) -> Mapping[str, str]:
        """Return the texts of all files of a domain's /proc, by name, at one moment."""
        return self._proc_files.read_all(self._context.find(domain).domid)

    def proc(self, domain: str, name: str) -> str:
        """Return the text of a file of a domain's /proc; "" lists all names, one a line."""
        return self._proc_files.read(self._context.find(domain).domid, name)

    def sys(self, domain: str, name: str) -> str:
        """Return the text of a file of a domain's /sys; "" lists all names, one a line."""
        return self._sys_files.read(self._context.find(domain).domid, name)

    def write_sys(self, domain: str, name: str, text: str) -> None:
        """Write a file of a domain's /sys."""
        self._sys_files.write(self._context.find(domain).domid, name, text)

    def domain_files(self, domain: str) -> Sequence[DomainFile]:
        """Return the files that xend's packages install in a domain: the examples in /etc/xen."""
        if self._context.find(domain).domid:
            return ()
        return [
            DomainFile(
                f"/etc/xen/{path.name}", path.read_bytes(), _EXAMPLES_MTIME, is_configuration=True
            )
            for path in sorted(_EXAMPLES.iterdir())
        ]

    def sxp(self, domain: str) -> Sxp:
        """Return what `xm list --long` shows of a domain."""
        info = self._context.find(domain)
        context = self._context
        state = context.hypervisor.domain_state(info.domid)
        described = described_sxp(current_spec(info), context.tools)
        entries: list[Sxp] = [["domid", str(info.domid)], *described[1:]]
        reason = state.shutdown_reason or 0
        entries += [
            ["state", state.letters],
            ["shutdown_reason", REASONS[reason]],
            ["cpu_time", f"{state.cpu_ns / 1e9:.9f}"],
            ["online_vcpus", str(state.online_vcpus)],
            ["up_time", f"{(context.unix_ns() - info.created_unix_ns) / 1e9:.9f}"],
            ["start_time", f"{info.created_unix_ns / 1e9:.2f}"],
        ]
        for ring in ("store", "console"):
            frame = context.store.read(f"{info.path}/{ring}/ring-ref")
            entries += [[f"{ring}_mfn", frame]] if frame else []
        return ["domain", *entries]
