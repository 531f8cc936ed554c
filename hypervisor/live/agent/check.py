"""Says what an agent can read here, and what it cannot and why: a line for each thing."""

import contextlib
import os
import time
from pathlib import Path
from typing import Callable, Iterator, List, NamedTuple, Optional

from hypervisor.live.agent.domain0.hostfacts import start_of
from hypervisor.live.agent.errors import AgentError
from hypervisor.live.agent.oneline import one_line
from hypervisor.live.agent.opening import Open, OpenHost
from hypervisor.live.agent.options import Options
from hypervisor.live.agent.process.memory import resident_bytes
from hypervisor.live.agent.report.fields import HostReport
from hypervisor.live.agent.web.config.file import WebConfig, read_config
from hypervisor.live.agent.web.doors import open_doors

OK, MISSING, FATAL = "ok", "missing", "FATAL"

_KINDS = (
    ("vcpu_time", "running time of domains and vcpus"),
    ("runstates", "waiting, blocked and capped time of vcpus"),
    ("scheduler", "weights and caps"),
    ("memory", "memory of domains"),
    ("vif", "network interfaces"),
    ("vbd", "block devices"),
)
"""Kinds of data (hypervisor.telemetry.DATA_KINDS) that an agent may have, and what they are."""
_MIB = 1 << 20
_FEW_BYTES = 4096
_LOOKS = 30  # until sampling has told of a vcpu; with one look in a second it may take two
_LOOK_SECONDS = 0.1


class Finding(NamedTuple):
    """What was found out about one thing."""

    verdict: str
    what: str
    told: str

    def __str__(self) -> str:
        """Return it as a line."""
        return one_line(f"{self.verdict:<7}  {self.what}: {self.told}")


def findings(
    options: Options,
    open_host: Open,
    root: str = "/",
    pause: Callable[[float], None] = time.sleep,
) -> List[Finding]:
    """Return what there is to say; an agent can serve if nothing of it is FATAL."""
    return [
        _domain0(root),
        _user(),
        _lockdown(root),
        *_host(options, open_host, root, pause),
        *_web(options),
        Finding(OK, "privileges", "root opens the device; then no capability is kept, only the user"
                " root, who owns xenstore's socket and the files of tapdisks"),
        _memory(),
    ]  # fmt: skip


def _domain0(root: str) -> Finding:
    capabilities = start_of(Path(root) / "proc/xen/capabilities", _FEW_BYTES)
    if capabilities is None:
        told = "there is no /proc/xen/capabilities: no Xen runs here, or xenfs is not mounted"
        return Finding(MISSING, "domain 0", told)
    if "control_d" in capabilities.split():
        return Finding(OK, "domain 0", "/proc/xen/capabilities has control_d")
    told = "/proc/xen/capabilities lacks control_d: this is a guest, start the agent in domain 0"
    return Finding(FATAL, "domain 0", told)


def _user() -> Finding:
    number = os.geteuid()
    if number == 0:
        return Finding(OK, "user", "root")
    return Finding(MISSING, "user", f"number {number}, not root, whom the devices belong to")


def _lockdown(root: str) -> Finding:
    modes = start_of(Path(root) / "sys/kernel/security/lockdown", _FEW_BYTES)
    if modes is None:
        return Finding(OK, "lockdown", "this kernel has none, or does not show it")
    active = [mode[1:-1] for mode in modes.split() if mode.startswith("[")]
    if active in ([], ["none"]):
        return Finding(OK, "lockdown", "none")
    told = f"{active[0]}: the kernel may refuse the privileged command device"
    return Finding(MISSING, "lockdown", told)


def _host(
    options: Options, open_host: Open, root: str, pause: Callable[[float], None]
) -> Iterator[Finding]:
    try:
        host = open_host(root)
    except AgentError as error:  # it says what was tried
        yield Finding(FATAL, "hypervisor", str(error))
        return
    with contextlib.closing(host):
        yield Finding(OK, "hypervisor", f"answers by {host.interface}")
        if options.sample_hz:
            host.sample(options.sample_hz)
        try:
            first = host.poll()
            report = _sampled(host, first, pause)
        except AgentError as error:
            yield Finding(FATAL, "poll", str(error))
            return
        except Exception as error:
            yield Finding(FATAL, "poll", f"{type(error).__name__}: {error}")
            return
        yield from _poll(first, report)


def _sampled(host: OpenHost, report: HostReport, pause: Callable[[float], None]) -> HostReport:
    """Return a later report, as soon as a vcpu was sampled, if it is sampled at all."""
    for _ in range(_LOOKS):
        if report.sampler is None or "runstates" in report.sources:
            break
        pause(_LOOK_SECONDS)
        report = host.poll()
    return report


def _poll(first: HostReport, report: HostReport) -> Iterator[Finding]:
    """Tell what the first poll has cost, and what was read until another one."""
    vcpus = sum(len(domain.vcpus) for domain in report.domains)
    cost = f"{first.hypercalls} hypercalls, {first.cpu_ns / 1e6:.1f} ms of processor time"
    told = f"{len(report.domains)} domains, {vcpus} vcpus; {cost}"
    yield Finding(OK if report.domains else FATAL, "poll", told)
    for kind, told in _KINDS:
        source = report.sources.get(kind)
        if source is None:
            why = _unsampled(report) if kind == "runstates" else "cannot be read here"
            yield Finding(MISSING, kind, f"{told} {why}")
        else:
            yield Finding(OK, kind, f"{told}, by {source}{_counted(report, kind)}")
    for problem in report.problems:
        yield Finding(MISSING, "problem", problem)


def _unsampled(report: HostReport) -> str:
    """Return why times by runstate are unknown."""
    if report.sampler is None:
        return "cannot be read here"
    rounds, skipped = report.sampler.rounds, report.sampler.skipped
    return f"are told by none of {rounds} rounds of sampling; {skipped} vcpus were on its own pcpu"


def _counted(report: HostReport, kind: str) -> str:
    """Return of how many devices of a kind something is counted; empty for other kinds."""
    if kind == "vif":
        counted = [
            vif.receive_bytes is not None for one in report.domains for vif in one.vifs or ()
        ]
    elif kind == "vbd":
        counted = [
            vbd.read_requests is not None for one in report.domains for vbd in one.vbds or ()
        ]
    else:
        return ""
    return f": {sum(counted)} of {len(counted)}"


def _web(options: Options) -> Iterator[Finding]:
    config: Optional[WebConfig] = WebConfig()
    if options.web_config is not None:
        try:
            config = read_config(options.web_config)
            if config.tls is not None:
                from hypervisor.live.agent.web.tls import check_renewal, context

                context(config.tls)
                check_renewal(config.tls)
            yield Finding(OK, "web config", f"{options.web_config} can be used")
        except AgentError as error:
            config = None
            yield Finding(FATAL, "web config", str(error))
    from hypervisor.live.agent.web.passwords import bcrypt

    try:
        bcrypt()
        yield Finding(OK, "bcrypt", "the C library knows it, so there may be basic_auth_users")
    except AgentError as error:
        is_needed = config is not None and bool(config.users)
        yield Finding(FATAL if is_needed else MISSING, "bcrypt", str(error))
        config = None if is_needed else config
    if config is not None:
        yield from _doors(options)


def _doors(options: Options) -> Iterator[Finding]:
    """Open all doors for a moment."""
    with contextlib.ExitStack() as held:
        try:
            doors = open_doors(
                options.addresses, options.unix_socket, options.web_config, held, lambda _: None
            )
        except AgentError as error:
            yield Finding(FATAL, "serving", str(error))
        else:
            for door in doors:
                yield Finding(OK, "serving", f"on {door}")


def _memory() -> Finding:
    resident = resident_bytes()
    if resident is None:
        return Finding(MISSING, "memory", "/proc/self/status does not tell it")
    return Finding(OK, "memory", f"{resident / _MIB:.1f} MiB are resident")
