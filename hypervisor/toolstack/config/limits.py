"""Checks what Red Hat supports on a RHEL 5 host: sizes, and which guest runs on which Xen.

Xen itself often accepts more, so these rules can be switched off as a whole.
Source: the Red Hat Summit 2007 talk. The marks of its compatibility matrix did not survive as
text; the ones here are those of RHEL 5.0 (judgement).
"""

from dataclasses import dataclass
from pathlib import PurePosixPath

from hypervisor.errors import Refused
from hypervisor.toolstack.config.devices import VifSpec
from hypervisor.toolstack.config.spec import DomainSpec

MAXIMUM_MIB = {"i386": 16 * 1024, "x86_64": 64 * 1024}  # of a domain; `~16GB`, `~64GB GA kernel`
MAXIMUM_HVM_MIB = {"i386": 1536, "x86_64": 64 * 1024}  # `~1.5G`; `Unknown, > 4G`: as any domain
MAXIMUM_VCPUS = 32
MAXIMUM_HVM_VCPUS = 1
MAXIMUM_VIFS = 3

_ARCHITECTURES = tuple(MAXIMUM_MIB)
_PARAVIRTUALIZED = ("", "rhel4", "rhel5")  # systems that have a kernel for Xen

_STATUS = "RHEL-5 Virtualization Status"
_STATUS4 = "RHEL-4 Virtualization Status"
_MATRIX = "Hypervisor - guest domain compatibility"
_FEATURES = "RHEL5/Virt Features"


@dataclass(frozen=True, slots=True)
class HostKind:
    """The properties of a host that limits depend on. `hvm`: its processors have VT or AMD-V."""

    arch: str = "x86_64"  # | i386
    hvm: bool = True

    def check_processor(self, spec: DomainSpec) -> None:
        """Refuse what no setting makes possible. Raises: Refused.

        Source: tools/python/xen/xend/image.py, HVMImageHandler (3.0.3 says less).
        """
        if spec.kind == "hvm" and not self.hvm:
            raise Refused(
                "Not an HVM capable platform, we stop creating! A fully virtualized guest needs a "
                "processor with VT or AMD-V"
            )


class LimitExceeded(Refused):
    """Refuses more than is supported; `key` is the setting, `limit` the sentence without advice."""

    def __init__(self, key: str, limit: str, page: str) -> None:
        """`page` is the heading of the page of the talk that states the limit."""
        self.key = key
        self.limit = f"{limit} (Red Hat Summit 2007, {page})"
        super().__init__(f"{self.limit}; start the service with --no-support-limits to lift it")


def check_limits(spec: DomainSpec, host: HostKind) -> None:
    """Check a domain's configuration. Raises: LimitExceeded."""
    _check_kind(spec, host)
    _check_memory(spec, host)
    _check_vcpus(spec)
    check_vif_count(len(spec.vifs))


def check_vif_count(count: int) -> None:
    """Check the number of a domain's network interfaces. Raises: LimitExceeded."""
    if count > MAXIMUM_VIFS:
        raise LimitExceeded(
            "vif", f"RHEL 5 supports {MAXIMUM_VIFS} virtual NICs per domain, not {count}", _STATUS
        )


def check_network(vif: VifSpec) -> None:
    """Refuse the network scripts of networks that the model does not have. Raises: Refused."""
    script = PurePosixPath(vif.script).name
    kind = {"nat": "NAT", "route": "Routed"}.get(script.partition("-")[2])
    if kind and script.startswith(("vif-", "network-")):
        raise Refused(
            f"{kind} networking ({script}) is broken upstream (Red Hat Summit 2007, Networking); "
            "leave script out and use a bridge, on a dummy device if there is no network"
        )


def _check_kind(spec: DomainSpec, host: HostKind) -> None:
    arch = spec.arch or host.arch
    if arch not in _ARCHITECTURES:
        known = " or ".join(_ARCHITECTURES)
        raise LimitExceeded("arch", f"a guest runs {known} code here, not {arch}", _STATUS)
    if spec.kind == "dom0":
        if spec.os == "rhel4":
            raise LimitExceeded("os", "RHEL 4 runs as a guest only, not in Domain-0", _STATUS4)
        return
    if spec.kind == "pv" and spec.os not in _PARAVIRTUALIZED:
        raise LimitExceeded(
            "os", f"{spec.os} runs fully virtualized only: it has no kernel for Xen", _FEATURES
        )
    if host.arch == "i386" and arch == "x86_64":
        raise LimitExceeded("arch", "a 32-bit hypervisor runs no 64-bit guest", _MATRIX)
    if spec.kind == "pv" and arch != host.arch:
        raise LimitExceeded(
            "arch",
            "a 64-bit hypervisor runs a 32-bit guest fully virtualized only",
            _MATRIX,
        )


def _check_memory(spec: DomainSpec, host: HostKind) -> None:
    is_hvm = spec.kind == "hvm"
    limit = (MAXIMUM_HVM_MIB if is_hvm else MAXIMUM_MIB)[host.arch]
    for key, kib in (("memory", spec.memory_kib), ("maxmem", spec.maximum_kib or 0)):
        if kib > limit * 1024:
            guest = "a fully virtualized guest" if is_hvm else "a domain"
            raise LimitExceeded(
                key,
                f"RHEL 5 supports {limit} MiB for {guest} on {host.arch}, not {kib // 1024} MiB",
                _STATUS,
            )


def _check_vcpus(spec: DomainSpec) -> None:
    limit = MAXIMUM_HVM_VCPUS if spec.kind == "hvm" else MAXIMUM_VCPUS
    if spec.vcpus > limit:
        guest = "a fully virtualized guest" if spec.kind == "hvm" else "a domain"
        number = "a single processor" if limit == 1 else f"{limit} processors"
        raise LimitExceeded(
            "vcpus", f"RHEL 5 supports {number} in {guest}, not {spec.vcpus}", _STATUS
        )
