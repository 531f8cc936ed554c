"""What can be done to a domain, as one table: its arguments, and the call of the toolstack."""

from collections.abc import Callable, Mapping

from hypervisor.control import Operation, Toolstack
from xenprof.service.arguments import Arguments

Act = Callable[[Toolstack, str, Arguments], Operation | None]

_DISK = ("backend", "frontend", "mode", "backend_domain")


def _disk(given: Arguments) -> tuple[str, str, str, str]:
    return (
        given.text("backend"),
        given.text("frontend"),
        given.text("mode"),
        given.optional_text("backend_domain") or "",
    )


def _sched_sedf(tools: Toolstack, domain: str, given: Arguments) -> None:
    tools.resources.set_sched_sedf(
        domain,
        period_ns=given.optional_integer("period_ns"),
        slice_ns=given.optional_integer("slice_ns"),
        latency_ns=given.optional_integer("latency_ns"),
        extratime=given.optional_flag("extratime"),
        weight=given.optional_integer("weight"),
    )


DOMAIN_COMMANDS: Mapping[str, tuple[tuple[str, ...], Act]] = {
    "destroy": ((), lambda tools, domain, given: tools.domains.destroy(domain)),
    "shutdown": (
        ("reason",),
        lambda tools, domain, given: tools.domains.shutdown(
            domain, given.optional_text("reason") or "poweroff"
        ),
    ),
    "save": (
        ("path", "checkpoint"),
        lambda tools, domain, given: tools.domains.save(
            domain, given.text("path"), checkpoint=given.flag("checkpoint")
        ),
    ),
    "dump-core": (
        ("path", "live", "crash"),
        lambda tools, domain, given: tools.domains.dump_core(
            domain,
            given.optional_text("path"),
            live=given.flag("live"),
            crash=given.flag("crash"),
        ),
    ),
    "delete": ((), lambda tools, domain, given: tools.managed.delete(domain)),
    "start": (
        ("paused",),
        lambda tools, domain, given: tools.managed.start(domain, paused=given.flag("paused")),
    ),
    "suspend": ((), lambda tools, domain, given: tools.managed.suspend(domain)),
    "resume": (
        ("paused",),
        lambda tools, domain, given: tools.managed.resume(domain, paused=given.flag("paused")),
    ),
    "pause": ((), lambda tools, domain, given: tools.domains.pause(domain)),
    "unpause": ((), lambda tools, domain, given: tools.domains.unpause(domain)),
    "rename": (
        ("name",),
        lambda tools, domain, given: tools.domains.rename(domain, given.text("name")),
    ),
    "sysrq": (
        ("key",),
        lambda tools, domain, given: tools.domains.sysrq(domain, given.text("key")),
    ),
    "trigger": (
        ("trigger", "vcpu"),
        lambda tools, domain, given: tools.domains.trigger(
            domain, given.text("trigger"), given.optional_integer("vcpu") or 0
        ),
    ),
    "set-vcpus": (
        ("count",),
        lambda tools, domain, given: tools.resources.set_vcpus(domain, given.integer("count")),
    ),
    "pin-vcpu": (
        ("vcpu", "pcpus"),
        lambda tools, domain, given: tools.resources.pin_vcpu(
            domain, given.optional_integer("vcpu"), given.integers("pcpus")
        ),
    ),
    "set-memory": (
        ("mib",),
        lambda tools, domain, given: tools.resources.set_memory(domain, given.integer("mib")),
    ),
    "set-maximum-memory": (
        ("mib",),
        lambda tools, domain, given: tools.resources.set_maximum_memory(
            domain, given.integer("mib")
        ),
    ),
    "sched-credit": (
        ("weight", "cap_percent"),
        lambda tools, domain, given: tools.resources.set_sched_credit(
            domain,
            weight=given.optional_integer("weight"),
            cap_percent=given.optional_integer("cap_percent"),
        ),
    ),
    "sched-sedf": (
        ("period_ns", "slice_ns", "latency_ns", "extratime", "weight"),
        _sched_sedf,
    ),
    "attach-block": (
        _DISK,
        lambda tools, domain, given: tools.devices.attach_block(domain, *_disk(given)),
    ),
    "configure-block": (
        _DISK,
        lambda tools, domain, given: tools.devices.configure_block(domain, *_disk(given)),
    ),
    "detach-block": (
        ("device", "force"),
        lambda tools, domain, given: tools.devices.detach_block(
            domain, given.text_or_number("device"), force=given.flag("force")
        ),
    ),
    "attach-network": (
        ("options",),
        lambda tools, domain, given: tools.devices.attach_network(
            domain, given.optional_text("options") or ""
        ),
    ),
    "detach-network": (
        ("index", "force"),
        lambda tools, domain, given: tools.devices.detach_network(
            domain, given.integer("index"), force=given.flag("force")
        ),
    ),
}
