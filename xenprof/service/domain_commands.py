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


def _sched_sedf(host: Toolstack, domain: str, given: Arguments) -> None:
    host.set_sched_sedf(
        domain,
        period_ns=given.optional_integer("period_ns"),
        slice_ns=given.optional_integer("slice_ns"),
        latency_ns=given.optional_integer("latency_ns"),
        extratime=given.optional_flag("extratime"),
        weight=given.optional_integer("weight"),
    )


DOMAIN_COMMANDS: Mapping[str, tuple[tuple[str, ...], Act]] = {
    "destroy": ((), lambda host, domain, given: host.destroy(domain)),
    "shutdown": (
        ("reason",),
        lambda host, domain, given: host.shutdown(
            domain, given.optional_text("reason") or "poweroff"
        ),
    ),
    "save": (
        ("path", "checkpoint"),
        lambda host, domain, given: host.save(
            domain, given.text("path"), checkpoint=given.flag("checkpoint")
        ),
    ),
    "dump-core": (
        ("path", "live", "crash"),
        lambda host, domain, given: host.dump_core(
            domain,
            given.optional_text("path"),
            live=given.flag("live"),
            crash=given.flag("crash"),
        ),
    ),
    "delete": ((), lambda host, domain, given: host.delete(domain)),
    "start": (
        ("paused",),
        lambda host, domain, given: host.start(domain, paused=given.flag("paused")),
    ),
    "suspend": ((), lambda host, domain, given: host.suspend(domain)),
    "resume": (
        ("paused",),
        lambda host, domain, given: host.resume(domain, paused=given.flag("paused")),
    ),
    "pause": ((), lambda host, domain, given: host.pause(domain)),
    "unpause": ((), lambda host, domain, given: host.unpause(domain)),
    "rename": (
        ("name",),
        lambda host, domain, given: host.rename(domain, given.text("name")),
    ),
    "sysrq": (("key",), lambda host, domain, given: host.sysrq(domain, given.text("key"))),
    "trigger": (
        ("trigger", "vcpu"),
        lambda host, domain, given: host.trigger(
            domain, given.text("trigger"), given.optional_integer("vcpu") or 0
        ),
    ),
    "set-vcpus": (
        ("count",),
        lambda host, domain, given: host.set_vcpus(domain, given.integer("count")),
    ),
    "pin-vcpu": (
        ("vcpu", "pcpus"),
        lambda host, domain, given: host.pin_vcpu(
            domain, given.optional_integer("vcpu"), given.integers("pcpus")
        ),
    ),
    "set-memory": (
        ("mib",),
        lambda host, domain, given: host.set_memory(domain, given.integer("mib")),
    ),
    "set-maximum-memory": (
        ("mib",),
        lambda host, domain, given: host.set_maximum_memory(domain, given.integer("mib")),
    ),
    "sched-credit": (
        ("weight", "cap_percent"),
        lambda host, domain, given: host.set_sched_credit(
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
        lambda host, domain, given: host.attach_block(domain, *_disk(given)),
    ),
    "configure-block": (
        _DISK,
        lambda host, domain, given: host.configure_block(domain, *_disk(given)),
    ),
    "detach-block": (
        ("device", "force"),
        lambda host, domain, given: host.detach_block(
            domain, given.text_or_number("device"), force=given.flag("force")
        ),
    ),
    "attach-network": (
        ("options",),
        lambda host, domain, given: host.attach_network(
            domain, given.optional_text("options") or ""
        ),
    ),
    "detach-network": (
        ("index", "force"),
        lambda host, domain, given: host.detach_network(
            domain, given.integer("index"), force=given.flag("force")
        ),
    ),
}
