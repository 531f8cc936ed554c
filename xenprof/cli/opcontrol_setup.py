"""opcontrol's setup: what options change in it, and what the service needs of it.

Source: oprofile utils/opcontrol (0.9.9), do_options, normalise_events and do_param_setup.
"""

from collections.abc import Sequence
from dataclasses import replace

from xenprof.cli.daemonrc import Daemonrc
from xenprof.cli.opcontrol_images import ImageFiles, parse_range
from xenprof.cli.opcontrol_options import CommandLine, c_number, separations
from xenprof.client import Service, ServiceError
from xenprof.errors import UsageError
from xenprof.events import assign_counters, default_event
from xenprof.eventspec import parse_setting
from xenprof.wire.opcontrol import Range, Setup, Value
from xenprof.wire.paths import domain_path

_TIMER_MODE = (
    "You cannot specify any performance counter events\nbecause OProfile is in timer mode."
)


class Setups:
    """The setup of one domain's daemon, as its kernel driver and its images allow it."""

    def __init__(self, client: Service, domain: str, images: ImageFiles) -> None:
        """Only keep the arguments."""
        self._client = client
        self._domain = domain
        self._images = images

    def cpu_type(self) -> str:
        """Return the CPU type that the domain's kernel driver reports."""
        return self._oprofilefs("cpu_type")

    def change(self, setup: Daemonrc, line: CommandLine) -> Daemonrc:
        """Return `setup` with the settings of the command line. Raises: UsageError, EventError."""
        for name, value in line.settings:
            match name:
                case "separate":
                    setup = replace(setup, separate=separations(value))
                case "callgraph":
                    setup = replace(setup, callgraph_depth=self._callgraph(value))
                case "session-dir":
                    setup = replace(setup, session_dir=value)
                case "image":
                    setup = replace(setup, image_filter="" if value == "all" else value)
                case "buffer-size":
                    setup = replace(setup, buffer_size=value)
                case "buffer-watershed":
                    setup = replace(setup, buffer_watershed=value)
                case "cpu-buffer-size":
                    setup = replace(setup, cpu_buffer_size=value)
                case "vmlinux":
                    setup = replace(setup, vmlinux=value)
                case "no-vmlinux":
                    setup = replace(setup, vmlinux="none")
                case "kernel-range":
                    parse_range(name, value)
                    setup = replace(setup, kernel_range=value)
                case "xen":
                    setup = replace(setup, xen_image=value)
                case "no-xen":
                    setup = replace(setup, xen_image="none", xen_range="")
        chosen = [value for name, value in line.settings if name == "event"]
        if chosen:
            setup = replace(setup, events=self._events(chosen, c_number(setup.callgraph_depth) > 0))
        return setup

    def request(self, remembered: Daemonrc, line: CommandLine, *, is_alive: bool) -> Setup:
        """Return the setup for the service to start a daemon; one that runs needs no ranges.

        Raises: UsageError, EventError, ImageError.
        """
        kernel_range = xen_range = None
        passive_ranges: tuple[Range, ...] = ()
        passive_images = _words(line.last("passive-images"))
        active, passive = _words(line.last("active-domains")), _words(line.last("passive-domains"))
        if both := [domain for domain in passive if domain in active]:
            raise UsageError(f"Domain {both[0]} is in both --active-domains and --passive-domains.")
        if len(passive_images) > len(passive):
            raise UsageError("There are more --passive-images than --passive-domains.")
        if not is_alive:
            images = self._images
            images.check_vmlinux(remembered)
            kernel_range = images.text_range(
                "kernel-range", remembered.vmlinux, remembered.kernel_range
            )
            xen_range = images.text_range("xen-range", remembered.xen_image, remembered.xen_range)
            passive_ranges = tuple(
                text for path in passive_images if (text := images.text_range("", path, ""))
            )
            for image in (remembered.vmlinux, remembered.xen_image, *passive_images):
                images.bring(image)
        cpu = self.cpu_type() if remembered.events else ""
        depth = c_number(remembered.callgraph_depth)
        return Setup(
            events=tuple(
                parse_setting(cpu, text, callgraph=depth > 0) for text in remembered.events
            ),
            separate=remembered.separate,
            vmlinux=None if remembered.vmlinux == "none" else remembered.vmlinux,
            kernel_range=kernel_range,
            xen_image=None if remembered.xen_image == "none" else remembered.xen_image,
            xen_range=xen_range,
            image_filter=_words(remembered.image_filter),
            buffer_size=c_number(remembered.buffer_size),
            buffer_watershed=c_number(remembered.buffer_watershed),
            cpu_buffer_size=c_number(remembered.cpu_buffer_size),
            callgraph_depth=depth,
            active_domains=line.last("active-domains"),
            passive_domains=line.last("passive-domains"),
            passive_images=passive_images,
            passive_ranges=passive_ranges,
            session_dir=remembered.session_dir,
            verbose=line.verbose,
        )

    def _events(self, texts: Sequence[str], is_callgraph: bool) -> tuple[str, ...]:
        """Return complete specifications. Raises: EventError, UsageError."""
        cpu = self.cpu_type()
        if cpu == "timer":
            raise UsageError(_TIMER_MODE)
        texts = [default_event(cpu).text if text == "default" else text for text in texts]
        settings = [parse_setting(cpu, text, callgraph=is_callgraph) for text in texts]
        if len(set(settings)) < len(settings):
            raise UsageError("All events must be distinct.")
        assign_counters(cpu, settings)
        return tuple(
            _complete(text, setting.unit_mask)
            for text, setting in zip(texts, settings, strict=True)
        )

    def _callgraph(self, depth: str) -> str:
        if c_number(depth):
            try:
                self._oprofilefs("backtrace_depth")
            except ServiceError as error:
                if error.type != "OprofilefsError":
                    raise
                raise UsageError(
                    "Call-graph profiling unsupported on this kernel/hardware"
                ) from None
        return depth

    def _oprofilefs(self, name: str) -> str:
        return self._client.get(domain_path(self._domain, "oprofilefs", name), Value).value


def _complete(text: str, unit_mask: int) -> str:
    """Return a specification with all its parts: the mask in decimal, the others as typed."""
    name, count, _, kernel, user = (*text.split(":"), "", "", "", "")[:5]
    return f"{name}:{count}:{unit_mask}:{kernel or 1}:{user or 1}"


def _words(value: str | None) -> tuple[str, ...]:
    return tuple(filter(None, (value or "").split(",")))
