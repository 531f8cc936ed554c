"""Turns the settings of `xm create` into a domain's specification, with defaults and checks."""

import hashlib
import random
import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from hypervisor.cpus import parse_cpus
from hypervisor.domain0 import DOMAIN_0
from hypervisor.errors import HostError, Refused
from hypervisor.toolstack.config.devices import DiskSpec, VifSpec, parse_disk, parse_vfb, parse_vif
from hypervisor.toolstack.config.limits import check_network
from hypervisor.toolstack.config.options import BY_NAME, OPTIONS
from hypervisor.toolstack.config.spec import DomainSpec
from hypervisor.toolstack.config.typed import Settings
from hypervisor.toolstack.config.workloads import parse_workload

MAXIMUM_VCPUS = 32
DEFAULT_WEIGHT = 256
DEFAULT_BRIDGE = "xenbr0"
DOMAIN0_UUID = "00000000-0000-0000-0000-000000000000"
GRUB_ARGUMENTS = "ro root=/dev/VolGroup00/LogVol00 console=xvc0"  # as RHEL 5 installs; judgement

_NAME = re.compile(r"[A-Za-z0-9_\-.:/+]+", re.ASCII)
_ACTIONS = ("destroy", "restart", "preserve", "rename-restart")
_ACTION_NAMES = ("on_poweroff", "on_reboot", "on_crash")
_OLD_RESTART = {
    "onreboot": ("destroy", "restart", "destroy"),
    "always": ("restart", "restart", "restart"),
    "never": ("destroy", "destroy", "destroy"),
}
_NO_NFS_SERVER = "1.2.3.4"  # what xm writes into ip= if there is no server
_SYSTEMS = ("rhel3", "rhel4", "rhel5", "windows", "other")
_RHEL4_KERNEL = re.compile(r"2\.6\.9-[\w.]*EL[\w.]*xenU", re.ASCII)
_32_BIT_KERNEL = re.compile(r"PAE|i[3-6]86", re.ASCII)


def domain0_spec(
    *,
    vcpus: int,
    memory_kib: int,
    weight: int = DEFAULT_WEIGHT,
    cap_percent: int = 0,
    affinity: tuple[int, ...] | None = None,
    workloads: tuple[Mapping[str, object], ...] = (),
    extra: str = "",
) -> DomainSpec:
    """Return the specification of domain 0, which Xen builds at boot."""
    return DomainSpec(
        name=DOMAIN_0,
        uuid=DOMAIN0_UUID,
        kind="dom0",
        vcpus=vcpus,
        memory_kib=memory_kib,
        maximum_kib=None,
        weight=weight,
        cap_percent=cap_percent,
        affinity=affinity,
        workloads=workloads,
        extra=extra,
    )


def domain_spec(
    config: Mapping[str, object],
    *,
    tools: str,
    pcpus: int,
    draw: random.Random,
    workloads: tuple[Mapping[str, object], ...] = (),
) -> DomainSpec:
    """Return the specification of a configured guest; like xm, ignore unknown settings.

    `tools` is 3.0.3 or 3.1; only 3.1 applies cpu_weight and cpu_cap. `draw` gives the random
    parts of uuid and MAC addresses.
    Raises: HostError with the text of xm or xend.
    """
    settings = Settings(config, tools)
    is_hvm = _is_hvm(settings)
    memory_mib, maximum_mib = _memory_mib(settings)
    vcpus = settings.number("vcpus")
    if not 1 <= vcpus <= MAXIMUM_VCPUS:
        raise HostError(f"Invalid VCPUs: {vcpus}; a domain has 1 to {MAXIMUM_VCPUS}")
    weight, cap_percent, legacy_weight = _credit(settings, vcpus, tools)
    on_poweroff, on_reboot, on_crash = _actions(settings)
    name = check_name(settings.text("name"))
    identity = _uuid(settings.text("uuid"), draw)
    disks = _disks(settings)
    programs = tuple(settings.strings("xenprof_workload"))
    return DomainSpec(
        name=name,
        uuid=identity,
        kind="hvm" if is_hvm else "pv",
        vcpus=vcpus,
        memory_kib=memory_mib * 1024,
        maximum_kib=maximum_mib * 1024,
        weight=weight,
        cap_percent=cap_percent,
        affinity=_affinity(settings, pcpus),
        disks=disks,
        vifs=_vifs(settings, is_hvm, draw),
        workloads=workloads or tuple(map(parse_workload, programs)),
        programs=programs,
        on_poweroff=on_poweroff,
        on_reboot=on_reboot,
        on_crash=on_crash,
        **asdict(_boot(settings, disks, identity)),
        features=settings.text("features"),
        shadow_kib=_shadow_kib(settings, memory_mib, vcpus) if is_hvm else 0,
        vcpu_avail=_vcpu_avail(settings),
        legacy_cpu_weight=legacy_weight,
        vfbs=tuple(map(parse_vfb, settings.strings("vfb"))),
        device_model=_device_model(settings) if is_hvm else (),
        localtime=bool(settings.number("localtime")),
        on_xend_start=settings.text("on_xend_start"),
        on_xend_stop=settings.text("on_xend_stop"),
        arch=_arch(settings),
        os=_os(settings),
        drivers=_drivers(settings, is_hvm=is_hvm),
    )


def check_name(name: str) -> str:
    """Return `name` if it is a legal domain name. Raises: HostError."""
    if not name:
        raise HostError("Missing VM Name")
    if not _NAME.fullmatch(name) or len(name) > 80:
        raise HostError(f"Invalid VM Name '{name[:80]}'; use letters, digits and _-.:/+")
    return name


def check_credit(weight: int | None, cap_percent: int | None, vcpus: int) -> None:
    """Check the values that are not None against xend's limits. Raises: HostError."""
    if weight is not None and not 1 <= weight <= 65535:
        raise HostError("weight is out of range")
    if cap_percent is not None and not 0 <= cap_percent <= 100 * vcpus:
        raise HostError("cap is out of range")


def check_backend(domain: str) -> str:
    """Return the name of the domain that serves a device. Raises: Refused if not domain 0."""
    if domain in ("", "0", DOMAIN_0):
        return DOMAIN_0
    raise Refused(f"backend '{domain}': {BY_NAME['blkif'].note}")


def online_affinity(cpus: tuple[int, ...], pcpus: int) -> tuple[int, ...] | None:
    """Return those of `cpus` that exist, None if they are all. Raises: HostError if none exists."""
    existing = tuple(sorted({cpu for cpu in cpus if 0 <= cpu < pcpus}))
    if not existing:
        raise HostError("(22, 'Invalid argument')")
    return None if len(existing) == pcpus else existing


def complete_vif(vif: VifSpec, is_hvm: bool, draw: random.Random) -> VifSpec:
    """Return the interface completed as xend does it. Raises: Refused for NAT and routing."""
    tail = draw.getrandbits(23)  # always drawn, so that no entry changes the next one
    random_mac = f"00:16:3e:{tail >> 16:02x}:{tail >> 8 & 255:02x}:{tail & 255:02x}"
    check_network(vif)
    return replace(
        vif,
        mac=vif.mac or random_mac,
        bridge=vif.bridge or DEFAULT_BRIDGE,
        script=vif.script or "vif-bridge",
        type=vif.type or ("ioemu" if is_hvm else ""),
        backend=check_backend(vif.backend),
    )


def vif_spec(text: str, *, is_hvm: bool, draw: random.Random) -> VifSpec:
    """Return an interface of a guest from the text of its entry. Raises: HostError."""
    return complete_vif(parse_vif(text), is_hvm, draw)


def random_uuid(draw: random.Random) -> str:
    """Return a new random uuid."""
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


@dataclass(frozen=True, slots=True)
class _Boot:
    """The kernel or firmware that a domain boots from."""

    kernel: str
    ramdisk: str
    ip: str = ""
    root: str = ""
    extra: str = ""
    bootloader: str = ""
    bootargs: str = ""


def _boot(settings: Settings, disks: tuple[DiskSpec, ...], identity: str) -> _Boot:
    """Compose what the domain boots; a bootloader's kernel wins over the one in the settings.

    Source: tools/python/xen/xm/create.py, configure_image, preprocess_ip, preprocess_nfs,
    run_bootloader. There the names of pygrub's copies are random; here they come from the uuid.
    """
    extra = settings.text("extra")
    server, nfs_root = settings.text("nfs_server"), settings.text("nfs_root")
    if nfs_root and not server:
        raise HostError("Must set nfs root and nfs server")
    if nfs_root:
        extra = f"nfsroot={server}:{nfs_root} {extra}"
    bootloader = settings.text("bootloader")
    if settings.text("builder") == "hvm" or not bootloader:
        ip = ""
        if settings.text("ip") or settings.text("dhcp") != "off":
            names = ("gateway", "netmask", "hostname", "interface", "dhcp")
            parts = [settings.text("ip"), server or _NO_NFS_SERVER, *map(settings.text, names)]
            ip = ":".join(parts).removeprefix("ip=")
        root = settings.text("root").removeprefix("root=")
        return _Boot(settings.text("kernel"), settings.text("ramdisk"), ip, root, extra)
    if not disks:
        raise HostError("No disks configured and boot loader requested")
    entry, suffix = settings.text("bootentry"), hashlib.sha256(identity.encode()).hexdigest()
    return _Boot(
        kernel=f"/var/lib/xen/vmlinuz.{suffix[:6]}",
        ramdisk=f"/var/lib/xen/initrd.{suffix[6:12]}",
        extra=f"{GRUB_ARGUMENTS} {extra}".rstrip(),
        bootloader=bootloader,
        bootargs=f"--entry={entry}" if entry else settings.text("bootargs"),
    )


def _is_hvm(settings: Settings) -> bool:
    builder = settings.text("builder")
    if not (settings.text("kernel") or (settings.text("bootloader") and builder != "hvm")):
        raise HostError("No kernel specified")
    if builder not in ("linux", "hvm"):
        raise HostError(f"Unknown builder '{builder}'; use linux or hvm")
    return builder == "hvm"


def _memory_mib(settings: Settings) -> tuple[int, int]:
    """Return the initial and the maximum memory."""
    memory, maximum = settings.number("memory"), settings.number("maxmem")
    if not 0 < memory < 2**31:
        raise HostError("Invalid memory size")
    if maximum >= 2**31:
        raise HostError("Invalid memory size: maxmem")
    return memory, max(memory, maximum)


def _credit(settings: Settings, vcpus: int, tools: str) -> tuple[int, int, float]:
    """Return weight, cap and the cpu_weight that 3.0.3 only stores."""
    given = settings.real("cpu_weight")
    if tools == "3.0.3":
        return DEFAULT_WEIGHT, 0, 1.0 if given is None else given
    weight = DEFAULT_WEIGHT if given is None else int(given)
    cap_percent = settings.number("cpu_cap")
    check_credit(weight, cap_percent, vcpus)
    return weight, cap_percent, 1.0


def _uuid(text: str, draw: random.Random) -> str:
    if not text:
        return random_uuid(draw)
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise HostError(f"invalid value for uuid: '{text}'; write 32 hexadecimal digits") from None


def _affinity(settings: Settings, pcpus: int) -> tuple[int, ...] | None:
    cpu, cpus = settings.optional("cpu"), settings.text("cpus")
    lists = [str(cpu) if cpu is not None and cpu >= 0 else "", "" if cpus == "any" else cpus]
    text = ",".join(filter(None, lists))
    return online_affinity(parse_cpus(text), pcpus) if text else None


def _vcpu_avail(settings: Settings) -> int | None:
    mask = settings.optional("vcpu_avail")
    if mask is not None and mask <= 0:
        raise HostError(f"invalid value for vcpu_avail: '{mask}'; write a bit mask of vcpus")
    return mask


def _disks(settings: Settings) -> tuple[DiskSpec, ...]:
    disks: dict[int, DiskSpec] = {}
    for disk in map(parse_disk, settings.strings("disk")):
        if disk.device in disks:
            raise HostError(f"Device {disk.frontend} ({disk.device}, vbd) is already connected.")
        disks[disk.device] = replace(disk, backend=check_backend(disk.backend))
    return tuple(disks.values())


def _vifs(settings: Settings, is_hvm: bool, draw: random.Random) -> tuple[VifSpec, ...]:
    texts = settings.strings("vif")
    count = settings.number("nics")
    if count > 100:
        raise HostError(f"invalid value for nics: {count}; write empty vif entries instead")
    texts += [""] * (count - len(texts))
    return tuple(complete_vif(vif, is_hvm, draw) for vif in map(parse_vif, texts))


def _actions(settings: Settings) -> tuple[str, str, str]:
    defaults = _OLD_RESTART.get(settings.text("restart"), ("destroy", "restart", "restart"))
    actions = [
        settings.text(name) if settings.is_given(name) else default
        for name, default in zip(_ACTION_NAMES, defaults, strict=True)
    ]
    for name, action in zip(_ACTION_NAMES, actions, strict=True):
        if action not in _ACTIONS:
            raise HostError(f"invalid value for {name}: '{action}'; use {', '.join(_ACTIONS)}")
    return actions[0], actions[1], actions[2]


def _shadow_kib(settings: Settings, memory_mib: int, vcpus: int) -> int:
    """Return the shadow memory asked for, at least what the guest needs, in whole MiB.

    Source: tools/python/xen/xend/image.py, getRequiredShadowMemory.
    """
    needed_mib = -(-(1024 * vcpus + 4 * memory_mib) // 1024)
    return max(needed_mib, min(settings.number("shadow_memory"), 2**31)) * 1024


def _device_model(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return the settings that xm puts into the image; a 0 only where the default is 1."""
    options = [option for option in OPTIONS if option.goes_to_device_model]
    return tuple(
        (option.name, value)
        for option in options
        if (value := settings.text(option.name)) and not value == "0" == str(option.default)
    )


def _arch(settings: Settings) -> str:
    """Return the architecture that is set, or else in the kernel's file name, or else nothing."""
    arch = settings.text("xenprof_arch")
    if arch not in ("", "i386", "x86_64"):
        raise HostError(f"invalid value for xenprof_arch: '{arch}'; use i386 or x86_64")
    kernel = settings.text("kernel")
    if arch:
        return arch
    if _32_BIT_KERNEL.search(kernel):
        return "i386"
    return "x86_64" if "x86_64" in kernel else ""


def _os(settings: Settings) -> str:
    system = settings.text("xenprof_os")
    if system and system not in _SYSTEMS:
        raise HostError(f"invalid value for xenprof_os: '{system}'; use {', '.join(_SYSTEMS)}")
    return system or ("rhel4" if _RHEL4_KERNEL.search(settings.text("kernel")) else "")


def _drivers(settings: Settings, *, is_hvm: bool) -> str:
    drivers = settings.text("xenprof_drivers")
    if drivers not in ("", "pv", "emulated"):
        raise HostError(f"invalid value for xenprof_drivers: '{drivers}'; use pv or emulated")
    if drivers == "emulated" and not is_hvm:
        raise HostError("a paravirtualized guest has no emulated devices; use builder = 'hvm'")
    return drivers
