"""Lists the commands on a domain: each request with its call of the toolstack."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from hypervisor.control import Operation, Toolstack
from xenprof.service.answers import Result
from xenprof.service.arguments import Arguments, BadArguments, request_of
from xenprof.wire import domain_requests as ask
from xenprof.wire.requests import DomainRequest

R = TypeVar("R", bound=DomainRequest)
Act = Callable[[Toolstack, str, Arguments], Operation[Result] | None]


def _on_domain(
    kind: type[R], act: Callable[[Toolstack, str, R], Operation[Result] | None]
) -> tuple[str, Act]:
    return kind.command, lambda tools, domain, given: act(tools, domain, request_of(kind, given))


def _set_sedf(tools: Toolstack, domain: str, asked: ask.SetSedf) -> None:
    if asked.extratime not in (None, 0, 1):
        raise BadArguments("sched-sedf: 'extratime' must be true or false")
    tools.resources.set_sched_sedf(
        domain,
        period_ns=asked.period_ns,
        slice_ns=asked.slice_ns,
        latency_ns=asked.latency_ns,
        extratime=None if asked.extratime is None else bool(asked.extratime),
        weight=asked.weight,
    )


def _disk(asked: ask.AttachBlock) -> tuple[str, str, str, str]:
    return asked.backend, asked.frontend, asked.mode, asked.backend_domain or ""


DOMAIN_COMMANDS: Mapping[str, Act] = dict(
    [
        _on_domain(ask.Destroy, lambda tools, domain, asked: tools.domains.destroy(domain)),
        _on_domain(
            ask.ShutDownDomain,
            lambda tools, domain, asked: tools.domains.shutdown(domain, asked.reason or "poweroff"),
        ),
        _on_domain(
            ask.Save,
            lambda tools, domain, asked: tools.domains.save(
                domain, asked.path, checkpoint=asked.checkpoint
            ),
        ),
        _on_domain(
            ask.DumpCore,
            lambda tools, domain, asked: tools.domains.dump_core(
                domain, asked.path, live=asked.live, crash=asked.crash
            ),
        ),
        _on_domain(ask.Delete, lambda tools, domain, asked: tools.managed.delete(domain)),
        _on_domain(
            ask.StartDomain,
            lambda tools, domain, asked: tools.managed.start(domain, paused=asked.paused),
        ),
        _on_domain(ask.Suspend, lambda tools, domain, asked: tools.managed.suspend(domain)),
        _on_domain(
            ask.Resume,
            lambda tools, domain, asked: tools.managed.resume(domain, paused=asked.paused),
        ),
        _on_domain(ask.Pause, lambda tools, domain, asked: tools.domains.pause(domain)),
        _on_domain(ask.Unpause, lambda tools, domain, asked: tools.domains.unpause(domain)),
        _on_domain(
            ask.Rename, lambda tools, domain, asked: tools.domains.rename(domain, asked.name)
        ),
        _on_domain(ask.Sysrq, lambda tools, domain, asked: tools.domains.sysrq(domain, asked.key)),
        _on_domain(
            ask.WriteSys,
            lambda tools, domain, asked: tools.views.write_sys(domain, asked.path, asked.text),
        ),
        _on_domain(
            ask.Trigger,
            lambda tools, domain, asked: tools.domains.trigger(
                domain, asked.trigger, asked.vcpu or 0
            ),
        ),
        _on_domain(
            ask.SetVcpus,
            lambda tools, domain, asked: tools.resources.set_vcpus(domain, asked.count),
        ),
        _on_domain(
            ask.PinVcpu,
            lambda tools, domain, asked: tools.resources.pin_vcpu(domain, asked.vcpu, asked.pcpus),
        ),
        _on_domain(
            ask.SetMemory,
            lambda tools, domain, asked: tools.resources.set_memory(domain, asked.mib),
        ),
        _on_domain(
            ask.SetMaximumMemory,
            lambda tools, domain, asked: tools.resources.set_maximum_memory(domain, asked.mib),
        ),
        _on_domain(
            ask.SetCredit,
            lambda tools, domain, asked: tools.resources.set_sched_credit(
                domain, weight=asked.weight, cap_percent=asked.cap_percent
            ),
        ),
        _on_domain(ask.SetSedf, _set_sedf),
        _on_domain(
            ask.AttachBlock,
            lambda tools, domain, asked: tools.devices.attach_block(domain, *_disk(asked)),
        ),
        _on_domain(
            ask.ConfigureBlock,
            lambda tools, domain, asked: tools.devices.configure_block(domain, *_disk(asked)),
        ),
        _on_domain(
            ask.DetachBlock,
            lambda tools, domain, asked: tools.devices.detach_block(
                domain, str(asked.device), force=asked.force
            ),
        ),
        _on_domain(
            ask.AttachNetwork,
            lambda tools, domain, asked: tools.devices.attach_network(domain, asked.options or ""),
        ),
        _on_domain(
            ask.DetachNetwork,
            lambda tools, domain, asked: tools.devices.detach_network(
                domain, asked.index, force=asked.force
            ),
        ),
    ]
)
