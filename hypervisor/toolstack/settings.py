"""From the settings of `xm create` to a domain's specification: defaults, conversions, checks."""

import random
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace

from hypervisor.cpus import parse_cpus
from hypervisor.errors import HostError
from hypervisor.toolstack.devices import DiskSpec, VifSpec, parse_disk, parse_vif
from hypervisor.toolstack.spec import DomainSpec

MAXIMUM_VCPUS = 32
DEFAULT_WEIGHT = 256
DEFAULT_BRIDGE = "xenbr0"
DOMAIN0_UUID = "00000000-0000-0000-0000-000000000000"

_NAME = re.compile(r"[A-Za-z0-9_\-.:/+]+", re.ASCII)
_ACTIONS = ("destroy", "restart", "preserve", "rename-restart")
_OLD_RESTART = {
    "onreboot": ("destroy", "restart", "destroy"),
    "always": ("restart", "restart", "restart"),
    "never": ("destroy", "destroy", "destroy"),
}


def domain0_spec(
    *,
    vcpus: int,
    memory_kib: int,
    weight: int = DEFAULT_WEIGHT,
    cap_percent: int = 0,
    affinity: tuple[int, ...] | None = None,
    workloads: tuple[Mapping[str, object], ...] = (),
) -> DomainSpec:
    """Return the domain that Xen builds at boot."""
    return DomainSpec(
        name="Domain-0",
        uuid=DOMAIN0_UUID,
        kind="dom0",
        vcpus=vcpus,
        memory_kib=memory_kib,
        maximum_kib=None,
        weight=weight,
        cap_percent=cap_percent,
        affinity=affinity,
        workloads=workloads,
    )


def domain_spec(
    config: Mapping[str, object],
    *,
    tools: str,
    pcpus: int,
    draw: random.Random,
    workloads: tuple[Mapping[str, object], ...] = (),
) -> DomainSpec:
    """Return the guest that a configuration asks for; unknown settings are ignored, as by xm.

    `tools` is 3.0.3 or 3.1 (which alone applies cpu_weight and cpu_cap), `draw` gives the
    random parts of uuid and MAC addresses.
    Raises: HostError with the text of xm or xend.
    """
    settings = _Settings(config)
    kernel, bootloader = settings.text("kernel"), settings.text("bootloader")
    if not (kernel or bootloader):
        raise HostError("No kernel specified")
    builder = settings.text("builder", "linux")
    if builder not in ("linux", "hvm"):
        raise HostError(f"Unknown builder '{builder}'; use linux or hvm")
    memory_mib = settings.number("memory", 128)
    if not 0 < memory_mib < 2**31:
        raise HostError("Invalid memory size")
    vcpus = settings.number("vcpus", 1)
    if not 1 <= vcpus <= MAXIMUM_VCPUS:
        raise HostError(f"Invalid VCPUs: {vcpus}; a domain has 1 to {MAXIMUM_VCPUS}")
    is_hvm = builder == "hvm"
    applies_credit = tools != "3.0.3"
    weight = settings.number("cpu_weight", DEFAULT_WEIGHT) if applies_credit else DEFAULT_WEIGHT
    cap_percent = settings.number("cpu_cap", 0) if applies_credit else 0
    check_credit(weight, cap_percent, vcpus)
    on_poweroff, on_reboot, on_crash = _actions(settings)
    return DomainSpec(
        name=check_name(settings.text("name")),
        uuid=_uuid(settings.text("uuid"), draw),
        kind="hvm" if is_hvm else "pv",
        vcpus=vcpus,
        memory_kib=memory_mib * 1024,
        maximum_kib=max(memory_mib, settings.number("maxmem", 0)) * 1024,
        weight=weight,
        cap_percent=cap_percent,
        affinity=_affinity(settings, pcpus),
        disks=_disks(settings),
        vifs=_vifs(settings, is_hvm, draw),
        workloads=workloads,
        on_poweroff=on_poweroff,
        on_reboot=on_reboot,
        on_crash=on_crash,
        kernel=kernel,
        ramdisk=settings.text("ramdisk"),
        command_line=_command_line(settings),
        bootloader=bootloader,
    )


def check_name(name: str) -> str:
    """Return a legal domain name. Raises: HostError."""
    if not name:
        raise HostError("Missing VM Name")
    if not _NAME.fullmatch(name) or len(name) > 80:
        raise HostError(f"Invalid VM Name '{name}'; use letters, digits and _-.:/+")
    return name


def check_credit(weight: int | None, cap_percent: int | None, vcpus: int) -> None:
    """Check what is not None against xend's limits. Raises: HostError."""
    if weight is not None and not 1 <= weight <= 65535:
        raise HostError("weight is out of range")
    if cap_percent is not None and not 0 <= cap_percent <= 100 * vcpus:
        raise HostError("cap is out of range")


def online_affinity(cpus: tuple[int, ...], pcpus: int) -> tuple[int, ...] | None:
    """Return the existing ones of `cpus`; None for all of them. Raises: HostError if none is."""
    existing = tuple(sorted({cpu for cpu in cpus if 0 <= cpu < pcpus}))
    if not existing:
        raise HostError("(22, 'Invalid argument')")
    return None if len(existing) == pcpus else existing


class _Settings:
    """Typed access: numbers may be written as strings, one string may stand for a list."""

    def __init__(self, config: Mapping[str, object]) -> None:
        self._config = config

    def text(self, name: str, default: str = "") -> str:
        value = self._config.get(name)
        return default if value is None else str(value)

    def number(self, name: str, default: int) -> int:
        value = self._config.get(name, default)
        try:
            return int(value) if isinstance(value, str | int | float) else int("")
        except (ValueError, OverflowError):
            raise HostError(f"invalid value for {name}: '{value}' is not a number") from None

    def strings(self, name: str) -> list[str]:
        value = self._config.get(name)
        if value is None or value == "":
            return []
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return list(value)
        if isinstance(value, str):
            return [value]
        raise HostError(f"invalid value for {name}: a list of strings is needed")


def _uuid(text: str, draw: random.Random) -> str:
    if not text:
        return str(uuid.UUID(int=draw.getrandbits(128), version=4))
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise HostError(f"invalid value for uuid: '{text}'; write 32 hexadecimal digits") from None


def _affinity(settings: _Settings, pcpus: int) -> tuple[int, ...] | None:
    lists = [settings.text("cpu"), settings.text("cpus")]
    cpus = ",".join(text for text in lists if text and text != "any")
    return online_affinity(parse_cpus(cpus), pcpus) if cpus else None


def _disks(settings: _Settings) -> tuple[DiskSpec, ...]:
    disks: dict[int, DiskSpec] = {}
    for disk in map(parse_disk, settings.strings("disk")):
        if disk.device in disks:
            raise HostError(f"Device {disk.frontend} ({disk.device}, vbd) is already connected.")
        disks[disk.device] = disk
    return tuple(disks.values())


def _vifs(settings: _Settings, is_hvm: bool, draw: random.Random) -> tuple[VifSpec, ...]:
    texts = settings.strings("vif")
    texts += [""] * (settings.number("nics", -1) - len(texts))
    vifs = []
    for vif in map(parse_vif, texts):
        tail = draw.getrandbits(23)  # drawn in any case: one entry never changes the next
        random_mac = f"00:16:3e:{tail >> 16:02x}:{tail >> 8 & 255:02x}:{tail & 255:02x}"
        vifs.append(
            replace(
                vif,
                mac=vif.mac or random_mac,
                bridge=vif.bridge or DEFAULT_BRIDGE,
                script=vif.script or "vif-bridge",
                type=vif.type or ("ioemu" if is_hvm else ""),
            )
        )
    return tuple(vifs)


def _actions(settings: _Settings) -> tuple[str, str, str]:
    defaults = _OLD_RESTART.get(settings.text("restart"), ("destroy", "restart", "restart"))
    names = ("on_poweroff", "on_reboot", "on_crash")
    actions = [settings.text(name, default) for name, default in zip(names, defaults, strict=True)]
    for name, action in zip(names, actions, strict=True):
        if action not in _ACTIONS:
            raise HostError(f"invalid value for {name}: '{action}'; use {', '.join(_ACTIONS)}")
    return actions[0], actions[1], actions[2]


def _command_line(settings: _Settings) -> str:
    root = settings.text("root")
    return " ".join(filter(None, [f"root={root}" if root else "", settings.text("extra")]))
