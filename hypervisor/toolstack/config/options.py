"""Lists every option of `xm create` that a configuration file may set, and how it is treated.

Source: tools/python/xen/xm/create.py (3.0.3 and 3.1).
"""

from dataclasses import dataclass

MODELLED, IGNORED, REFUSED = "modelled", "without effect", "refused"

# A flag is yes, y, no, n or a number.
NUMBER, REAL, FLAG, TEXT, LIST = "number", "real", "flag", "text", "list"


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `note` says what it does, or why it does nothing or is refused."""

    name: str
    type: str
    default: object  # None = none
    treatment: str
    note: str
    value: str = ""  # the placeholder of the value in the help text
    since: str = "3.0.3"  # the first tools that know it; to older ones it is a variable
    goes_to_device_model: bool = False  # part of an HVM guest's image, in xm's order below


def _own(name: str, values: str, note: str) -> Option:
    return Option(name, TEXT, "", MODELLED, note, values)


def _model(name: str, type_: str, default: object, note: str, value: str = "") -> Option:
    """Return an option for the device model, which is only kept and shown for HVM guests."""
    return Option(name, type_, default, IGNORED, note, value, goes_to_device_model=True)


_ACTIONS = "destroy|restart|preserve|rename-restart"
_NO_MODEL = "no such device is emulated here; kept and shown"
_NO_SCREEN = "there is no screen to look at; kept and shown"
_NO_DRIVER_DOMAIN = "driver domains do not exist here: all backends are in Domain-0"
_NO_PASSTHROUGH = "hardware cannot be passed through to a guest here (nor to RHEL 4 guests at all)"

OPTIONS: tuple[Option, ...] = (
    Option("name", TEXT, "", MODELLED, "name, unique among live domains", "NAME"),
    Option("uuid", TEXT, "", MODELLED, "identity, unique; drawn if left out", "UUID"),
    Option("memory", NUMBER, 128, MODELLED, "memory at the start", "MIB"),
    Option("maxmem", NUMBER, 0, MODELLED, "the most mem-set can give; memory if less", "MIB"),
    Option("shadow_memory", NUMBER, 0, MODELLED, "shadow page tables of an HVM guest", "MIB"),
    Option("vcpus", NUMBER, 1, MODELLED, "virtual CPUs", "N"),
    Option("vcpu_avail", NUMBER, None, MODELLED, "bit mask of those online first", "MASK", "3.1"),
    Option("cpu", NUMBER, None, MODELLED, "pcpu; put in front of cpus", "CPU"),
    Option("cpus", TEXT, "", MODELLED, "pcpus of all its vcpus, as for vcpu-pin", "LIST"),
    Option("cpu_weight", REAL, None, MODELLED, "credit weight; 3.0.3 only stores it", "WEIGHT"),
    Option("cpu_cap", NUMBER, 0, MODELLED, "credit cap, percent of one pcpu", "CAP", "3.1"),
    Option("builder", TEXT, "linux", MODELLED, "linux (paravirtualized) or hvm", "linux|hvm"),
    Option("kernel", TEXT, "", MODELLED, "path of the kernel, or of hvmloader", "FILE"),
    Option("ramdisk", TEXT, "", MODELLED, "path of the initial ramdisk", "FILE"),
    Option("root", TEXT, "", MODELLED, "root= of the kernel's command line", "DEVICE"),
    Option("extra", TEXT, "", MODELLED, "end of the kernel's command line", "ARGS"),
    Option("features", TEXT, "", IGNORED, "kernels here have one set of features; shown", "LIST"),
    Option("bootloader", TEXT, "", MODELLED, "takes the kernel from the first disk", "FILE"),
    Option("bootargs", TEXT, "", IGNORED, "each disk has one kernel; kept and shown", "ARGS"),
    Option("bootentry", TEXT, "", IGNORED, "old name of bootargs", "ARGS"),
    Option("disk", LIST, (), MODELLED, "virtual disk, repeatable", "TYPE:PATH,VDEV,MODE[,DOM]"),
    Option("vif", LIST, (), MODELLED, "network interface, repeatable", "KEY=VALUE,..."),
    Option("vfb", LIST, (), MODELLED, "framebuffer in the store; no screen", "type=vnc|sdl,..."),
    Option("nics", NUMBER, -1, MODELLED, "deprecated: so many vifs, the rest empty", "N"),
    Option("pci", LIST, (), REFUSED, _NO_PASSTHROUGH, "BUS:DEV.FUNC"),
    Option("ioports", LIST, (), REFUSED, _NO_PASSTHROUGH, "FROM[-TO]"),
    Option("irq", LIST, (), REFUSED, _NO_PASSTHROUGH, "IRQ"),
    Option("usbport", LIST, (), REFUSED, _NO_PASSTHROUGH, "PATH"),
    Option("vtpm", LIST, (), REFUSED, "no vTPM manager runs in Domain-0", "instance=N,backend=DOM"),
    Option("on_poweroff", TEXT, "destroy", MODELLED, "what follows a power-off", _ACTIONS),
    Option("on_reboot", TEXT, "restart", MODELLED, "what follows a reboot", _ACTIONS),
    Option("on_crash", TEXT, "restart", MODELLED, "what follows a crash", _ACTIONS),
    Option("restart", TEXT, "", MODELLED, "deprecated: on_* in one word", "onreboot|always|never"),
    Option("on_xend_start", TEXT, "ignore", IGNORED, "xend is never restarted here", "ignore|start",
           "3.1"),
    Option("on_xend_stop", TEXT, "ignore", IGNORED, "xend never stops while guests run",
           "ignore|shutdown|suspend", "3.1"),
    Option("blkif", FLAG, 0, REFUSED, _NO_DRIVER_DOMAIN, "no|yes"),
    Option("netif", FLAG, 0, REFUSED, _NO_DRIVER_DOMAIN, "no|yes"),
    Option("tpmif", FLAG, 0, REFUSED, _NO_DRIVER_DOMAIN, "no|yes"),
    Option("ip", TEXT, "", MODELLED, "address, part of ip= of the command line", "IPADDR"),
    Option("gateway", TEXT, "", MODELLED, "part of ip=", "IPADDR"),
    Option("netmask", TEXT, "", MODELLED, "part of ip=", "MASK"),
    Option("hostname", TEXT, "", MODELLED, "part of ip=", "NAME"),
    Option("interface", TEXT, "eth0", MODELLED, "part of ip=", "INTF"),
    Option("dhcp", TEXT, "off", MODELLED, "part of ip=", "off|dhcp"),
    Option("nfs_server", TEXT, "", MODELLED, "part of ip= and nfsroot=", "IPADDR"),
    Option("nfs_root", TEXT, "", MODELLED, "nfsroot= of the kernel's command line", "PATH"),
    Option("access_control", LIST, (), REFUSED, "the access control policy is off on this host",
           "policy=POLICY,label=LABEL"),
    _model("device_model", TEXT, "", _NO_MODEL, "FILE"),
    _model("pae", NUMBER, 0, _NO_MODEL, "0|1"),
    _model("boot", TEXT, "c", _NO_MODEL, "a|b|c|d"),
    _model("fda", TEXT, "", _NO_MODEL, "FILE"),
    _model("fdb", TEXT, "", _NO_MODEL, "FILE"),
    _model("localtime", FLAG, 0, "guests here have no clock of their own to be set", "no|yes"),
    _model("serial", TEXT, "", _NO_MODEL, "FILE"),
    _model("stdvga", FLAG, 0, _NO_MODEL, "no|yes"),
    _model("isa", FLAG, 0, _NO_MODEL, "no|yes"),
    _model("nographic", FLAG, 0, _NO_MODEL, "no|yes"),
    _model("soundhw", TEXT, "", _NO_MODEL, "DEVICE"),
    _model("vnc", FLAG, 0, _NO_SCREEN, "no|yes"),
    _model("vncdisplay", TEXT, "", _NO_SCREEN, "N"),
    _model("vncunused", FLAG, 1, _NO_SCREEN, "no|yes"),
    _model("vncconsole", FLAG, 0, _NO_SCREEN, "no|yes"),
    _model("vnclisten", TEXT, "", _NO_SCREEN, "ADDR"),
    _model("sdl", FLAG, 0, _NO_SCREEN, "no|yes"),
    _model("display", TEXT, "", _NO_SCREEN, "DISPLAY"),
    _model("xauthority", TEXT, "", _NO_SCREEN, "FILE"),
    _model("acpi", NUMBER, 0, _NO_MODEL, "0|1"),
    _model("apic", NUMBER, 0, _NO_MODEL, "0|1"),
    _model("usb", FLAG, 0, _NO_MODEL, "no|yes"),
    _model("usbdevice", TEXT, "", _NO_MODEL, "NAME"),
    Option("rtc_timeoffset", TEXT, "0", IGNORED, _NO_MODEL, "SECONDS", "3.1",
           goes_to_device_model=True),
    Option("keymap", TEXT, "", IGNORED, _NO_SCREEN, "FILE", "3.1", goes_to_device_model=True),
    Option("vncpasswd", TEXT, "", IGNORED, _NO_SCREEN, "PASSWORD", "3.1",
           goes_to_device_model=True),
    Option("monitor", FLAG, 0, IGNORED, _NO_MODEL, "no|yes", "3.1"),
    Option("vncviewer", FLAG, 0, IGNORED, "no viewer is started", "no|yes"),
    _own("xenprof_arch", "i386|x86_64", "what the guest runs; else seen from the kernel's name"),
    _own("xenprof_drivers", "pv|emulated", "what drives an HVM guest's devices from its boot on"),
    _own("xenprof_os", "rhel3|rhel4|rhel5|windows|other", "the guest's system; else from there"),
    Option("xenprof_workload", LIST, (), MODELLED, "a program that it runs, repeatable",
           "KIND[,KEY=VALUE,...]"),
)  # fmt: skip

BY_NAME = {option.name: option for option in OPTIONS}
SETTINGS = frozenset(BY_NAME)
"""The options that `xm create` understands; other names in a file are its own variables."""
LIST_SETTINGS = frozenset(option.name for option in OPTIONS if option.type == LIST)


def known_to(option: Option, tools: str) -> bool:
    """Return whether these tools (3.0.3 or 3.1) have the option."""
    return option.since == "3.0.3" or tools != "3.0.3"


def option_rows(tools: str = "3.0.3") -> list[tuple[str, str, str]]:
    """Return (`name=VALUE`, default as text, what it does and how it is treated), sorted."""
    return [
        (f"{option.name}={option.value}", _default_text(option.default), _help(option))
        for option in sorted(OPTIONS, key=_name)
        if known_to(option, tools)
    ]


def _name(option: Option) -> str:
    return option.name


def _default_text(default: object) -> str:
    return "" if default in (None, "", ()) else str(default)


def _help(option: Option) -> str:
    if option.treatment == MODELLED:
        return option.note
    return f"{option.treatment}: {option.note}"
