"""The grammar of disk, vif and vfb entries in configuration files, scenarios and command lines."""

import re
from dataclasses import dataclass

from hypervisor.domain0 import DOMAIN_0
from hypervisor.errors import HostError
from hypervisor.nearest import hint

SECTOR_BYTES = 512
DISK_SECTORS = 8 * 2**30 // SECTOR_BYTES  # each virtual disk has its own 8 GiB (judgement)
SYSTEM_SECTORS = DISK_SECTORS  # at the beginning of the disk are domain 0's own partitions

DEFAULT_WINDOW_US = 50_000
_RATE = re.compile(r"(\d+)([GMK]?)([bB])/s(?:@(\d+)([mu]?)s)?", re.ASCII)
_SCALES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
_UNITS_US = {"s": 1_000_000, "ms": 1_000, "us": 1}
_LIMIT = 2**32

_FRONTEND = re.compile(r"(?:/dev/)?(xvd|sd|hd)([a-z])((?:[1-9]\d?)?)", re.ASCII)
_IDE_MAJORS = (3, 22, 33, 34, 56, 57, 88, 89, 90, 91)  # two disks of 64 numbers each
_SCSI_MAJORS = (8, 65)  # sixteen disks of 16 numbers each
_XVD_MAJORS = (202,)
_DISK_TYPES = ("phy", "file", "tap", "nbd", "enbd", "iscsi", "drbd", "npiv")
_TAP_DRIVERS = ("aio", "sync", "qcow", "vmdk", "ram")
_MODES = ("r", "w", "w!")

_VIF_KEYS = ("type", "mac", "bridge", "ip", "script", "backend", "vifname", "rate", "model")
_INTERFACE = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,15}", re.ASCII)  # IFNAMSIZ
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")

_VFB_KEYS = (
    "type",
    "vncunused",
    "vncdisplay",
    "vnclisten",
    "vncpasswd",
    "keymap",
    "display",
    "xauthority",
)


@dataclass(frozen=True, slots=True)
class RateSpec:
    """A limit on what a guest sends: `bytes_per_window` are granted at the start of each window."""

    bytes_per_window: int
    window_us: int

    def __str__(self) -> str:
        """Return the limit as xend stores it, e.g. `500000,50000`."""
        return f"{self.bytes_per_window},{self.window_us}"

    @property
    def text(self) -> str:
        """Return the limit as `xm list --long` shows it, e.g. `10MB/s@50ms`; parse_rate reads it.

        Source: tools/python/xen/xend/server/netif.py, formatRate.
        """
        bytes_per_second = -(-self.bytes_per_window * 1_000_000 // self.window_us)
        scale = next(s for s in "GMK " if bytes_per_second % _SCALES[s.strip()] == 0).strip()
        unit = next(u for u in ("s", "ms", "us") if self.window_us % _UNITS_US[u] == 0)
        window = self.window_us // _UNITS_US[unit]
        return f"{bytes_per_second // _SCALES[scale]}{scale}B/s@{window}{unit}"


@dataclass(frozen=True, slots=True)
class DiskSpec:
    """A virtual disk. `path` names the backing without its type, as an absolute path.

    A CD-ROM drive without a medium has neither type nor path.
    """

    type: str  # phy | file | tap:aio | ...
    path: str
    frontend: str  # xvda
    device: int  # xenstore number, xvda = 51712
    mode: str  # r | w | w!
    is_cdrom: bool = False
    backend: str = DOMAIN_0

    @property
    def source(self) -> str:
        """Return type and path as one name, e.g. `phy:/dev/sdb1`; "" for an empty drive."""
        return f"{self.type}:{self.path}" if self.type else ""

    @property
    def is_tap(self) -> bool:
        """Return whether a blktap process serves the disk."""
        return self.type.startswith("tap:")

    @property
    def device_class(self) -> str:
        """Return the disk's class in xend and in xenstore."""
        return "tap" if self.is_tap else "vbd"


@dataclass(frozen=True, slots=True)
class VifSpec:
    """A virtual network interface; an empty `mac` means that one will be drawn."""

    mac: str = ""
    bridge: str = ""
    type: str = ""  # ioemu for an emulated card
    script: str = ""
    rate: RateSpec | None = None  # None = unlimited
    ip: str = ""
    vifname: str = ""
    model: str = ""
    backend: str = DOMAIN_0


@dataclass(frozen=True, slots=True)
class VfbSpec:
    """A framebuffer for a paravirtualized guest; `settings` are its other keys, in xm's order."""

    type: str = "sdl"  # vnc | sdl
    settings: tuple[tuple[str, str], ...] = ()


def parse_rate(text: str) -> RateSpec | None:
    """Return the limit in a text like `10Mb/s` (bits) or `1MB/s@20ms` (bytes); None = unlimited.

    Like xend, take a text that does not match, is zero or does not fit 32 bits as unlimited.
    Source: tools/python/xen/xend/server/netif.py, parseRate.
    """
    match = _RATE.fullmatch(text)
    if match is None or len(text) > 40:
        return None
    digits, scale, unit, window, window_unit = match.groups()
    bytes_per_second = int(digits) * _SCALES[scale] // (8 if unit == "b" else 1)
    window_us = int(window) * _UNITS_US[window_unit + "s"] if window else DEFAULT_WINDOW_US
    bytes_per_window = bytes_per_second * window_us // 1_000_000
    if not (0 < bytes_per_window < _LIMIT and 0 < window_us < _LIMIT):
        return None
    return RateSpec(bytes_per_window, window_us)


def device_number(name: str) -> int:
    """Return the xenstore number of `xvda1`, `sda`, `hdc`, `/dev/xvdb` or a number.

    xvda to xvdp and sda to sdz have 15 partitions each, hda to hdt have 63. A number is decimal,
    or hexadecimal after 0x.
    Raises: HostError. Source: tools/python/xen/util/blkif.py, blkdev_name_to_number (3.1 for
    sdq and on).
    """
    match = _FRONTEND.fullmatch(name)
    if match:
        letter, part = ord(match[2]) - ord("a"), int(match[3] or 0)
        majors, numbers = _NUMBERING[match[1]]
        disks = 256 // numbers if match[1] != "hd" else 2
        if letter < disks * len(majors) and part < numbers:
            return majors[letter // disks] * 256 + numbers * (letter % disks) + part
    elif re.fullmatch(r"0x[0-9a-fA-F]{1,7}|[0-9]{1,9}", name):
        return int(name, 0) if name.startswith("0x") else int(name)
    raise HostError(
        f"Unable to find number for device ({name}); use xvda to xvdp, sda or hda, a partition "
        "such as xvda1, or a number"
    )


_NUMBERING = {"xvd": (_XVD_MAJORS, 16), "sd": (_SCSI_MAJORS, 16), "hd": (_IDE_MAJORS, 64)}


def parse_disk(text: str) -> DiskSpec:
    """Return the disk that is given as `type:path,frontend,mode[,backend]`.

    The frontend may be written `ioemu:hda` or `hdc:cdrom`; a CD-ROM drive may lack `type:path`.
    Raises: HostError with xm's text. Source: tools/python/xen/xm/create.py.
    """
    if not text.isprintable():
        raise _no_disk(text, "it has a character that cannot be printed")
    fields = [field.strip() for field in text.split(",")]
    if len(fields) not in (3, 4):
        raise _no_disk(text, "write TYPE:PATH,DEVICE,MODE, as in phy:/dev/sdb1,xvda,w")
    source, frontend, mode = fields[:3]
    frontend = frontend.removeprefix("ioemu:")
    frontend, _, role = frontend.partition(":")
    kind, path = ("", "") if not source and role == "cdrom" else _source(source, text)
    if role not in ("", "disk", "cdrom"):
        raise _no_disk(text, f"'{role}' is not disk or cdrom")
    if mode not in _MODES:
        raise HostError(f"Invalid mode: {mode} in disk '{text}'; use r, w or w!")
    return DiskSpec(
        type=kind,
        path=path,
        frontend=frontend.removeprefix("/dev/"),
        device=device_number(frontend),
        mode=mode,
        is_cdrom=role == "cdrom",
        backend=(fields[3:] or [""])[0] or DOMAIN_0,
    )


def _source(source: str, text: str) -> tuple[str, str]:
    if not source:
        raise HostError("Block device must have physical details specified")
    kind, colon, path = source.partition(":")
    if kind == "tap":
        driver, _, path = path.partition(":")
        kind = f"tap:{driver}"
        known = driver in _TAP_DRIVERS
    else:
        known = kind in _DISK_TYPES
    if not known:
        what = ", ".join(("phy", "file", *(f"tap:{one}" for one in _TAP_DRIVERS), "nbd", "enbd"))
        raise _no_disk(text, f"'{kind}' is not a type; use {what}")
    if not (colon and path):
        raise _no_disk(text, f"it lacks what is behind the disk, as in {kind}:/PATH")
    if kind == "phy" and not path.startswith("/"):
        path = f"/dev/{path}"
    return kind, path


def _no_disk(text: str, why: str) -> HostError:
    return HostError(f"Invalid disk specifier: {text}; {why}")


def parse_vif(text: str) -> VifSpec:
    """Return the interface that is given as a comma list of key=value; empty = all defaults.

    Raises: HostError with xm's text. Source: tools/python/xen/xm/create.py, configure_vifs.
    """
    values = _pairs(text)
    for key in values:
        if key not in _VIF_KEYS:
            near = hint(key, _VIF_KEYS)
            raise HostError(f"Invalid vif option: {key}{near}; use {', '.join(_VIF_KEYS)}")
    mac = values.pop("mac", "").lower()
    if mac and not _MAC.fullmatch(mac):
        raise HostError(f"Invalid vif mac: {mac}; write six hexadecimal pairs joined by colons")
    vifname = values.get("vifname", "")
    if vifname and not _INTERFACE.fullmatch(vifname):
        raise HostError(f"Invalid vif vifname: {vifname}; write 1 to 15 letters, digits or _.-")
    limit = values.pop("rate", "")
    if limit.startswith("-"):  # what else is no rate is unlimited, as in the original
        raise HostError(f"Invalid vif rate: {limit}; write one such as 10Mb/s or 1MB/s@20ms")
    rate = parse_rate(limit)
    backend = values.pop("backend", "") or DOMAIN_0
    return VifSpec(mac=mac, rate=rate, backend=backend, **values)


def parse_vfb(text: str) -> VfbSpec:
    """Return the framebuffer that is given as a comma list of key=value.

    Raises: HostError with xm's text. Source: tools/python/xen/xm/create.py, configure_vfbs.
    """
    values = _pairs(text)
    for key in values:
        if key not in _VFB_KEYS:
            raise HostError(f"configuration option {key} unknown to vfbs")
    kind = values.pop("type", "sdl")
    if kind not in ("vnc", "sdl"):
        raise HostError(f"Unknown vfb type: {kind}; use vnc or sdl")
    return VfbSpec(kind, tuple((key, values[key]) for key in _VFB_KEYS if key in values))


def _pairs(text: str) -> dict[str, str]:
    """Return the key=value items of a comma list; empty items are skipped."""
    if not text.isprintable():
        raise HostError(f"{text} has a character that cannot be printed; leave it out")
    values: dict[str, str] = {}
    for item in filter(None, (item.strip() for item in text.split(","))):
        key, equals, value = item.partition("=")
        if not equals:
            raise HostError(f"{item} should be a pair, separated by an equals sign.")
        values[key.strip()] = value.strip()
    return values
