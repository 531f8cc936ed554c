"""A guest kernel's oprofile driver, which takes samples from the hypervisor at every VIRQ.

In domain 0 it also programs the counters, sets which domains are profiled, and takes the samples
of passive domains.
Source: Linux 2.6.18-xen arch/i386/oprofile/xenoprof.c, drivers/oprofile/oprof.c.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from hypervisor.errors import EBUSY, EINVAL, OprofilefsError
from hypervisor.host import Module, Samples, Task
from hypervisor.model.cpu.accounting import owe
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.domain.domain import Domains, Vcpu
from hypervisor.model.profiling.control_text import domain_ids
from hypervisor.model.profiling.counterconfig import CounterConfig
from hypervisor.model.profiling.event_buffer import EventBuffer
from hypervisor.model.profiling.oprofilefs import OprofileFiles
from hypervisor.model.profiling.pending import Expander
from hypervisor.model.profiling.samplerow import SampleRow
from hypervisor.model.profiling.xenoprof import MAX_DOMAINS, Xenoprof

if TYPE_CHECKING:
    from hypervisor.samples import CallStack

SWITCH_ENTRIES = 6  # free slots of the cpu buffer that a switch to a passive domain needs


class GuestDriver:
    """Serves /dev/oprofile of one domain (see `host.OprofileDriver`)."""

    def __init__(
        self,
        guest: Guest,
        xenoprof: Xenoprof,
        expander: Expander,
        domains: Domains,
        cpu_type: str,
        mhz: int,
        modules: Sequence[Module],
    ) -> None:
        """`domains`: the live domains, which domain 0 may list."""
        self._guest = guest
        self._domain = guest.domain
        self._is_primary = self._domain.domid == 0
        self._xenoprof = xenoprof
        self._domains = domains
        self._modules = tuple(modules)
        (self._virq_parts,) = guest.parts(("oprofile_virq", 1))
        self._files = OprofileFiles(cpu_type, mhz, self._domain.domid)
        self._buffer = EventBuffer(guest, self._files, expander)

    # oprofilefs

    def read(self, name: str) -> str:
        """Return the text of a file below /dev/oprofile."""
        if name == "unread":  # our extension: samples in the rings that the driver shares with Xen
            unread = self._xenoprof.unread(self._domain.domid)
            return str(unread + (self._xenoprof.unread_passive() if self._is_primary else 0))
        if name.startswith("stats/"):
            stats = self._buffer.stats()
            if name[6:] in stats:
                return str(stats[name[6:]])
        return self._files.read(name)

    def write(self, name: str, value: str) -> None:
        """Write a file below /dev/oprofile."""
        if name == "enable":
            self._enable(wanted=value.strip() not in ("", "0"))
        elif name == "dump":
            self._guest.execution.accounting.settle_all()
            self._buffer.dump()
        elif name == "leave":  # our extension, see Xenoprof.leave
            for vcpu_id, rows in enumerate(self._xenoprof.leave(self._domain.domid)):
                self._buffer.add(vcpu_id, rows)
        elif name == "drain":  # our extension: from 3.2 on Xen sends a last VIRQ when it stops
            self._guest.execution.accounting.settle_all()
            for vcpu in self._domain.vcpus:
                self.virq(vcpu, 1, [])
        elif name == "active_domains":
            self._files.active_domains = ""  # stays empty if the write fails
            self._files.active_domains = self._listed(name, value)
        elif name == "passive_domains":
            self._files.passive_domains = ""
            self._files.passive_domains = self._listed(name, value)
        else:
            self._files.write(name, value)

    def _enable(self, *, wanted: bool) -> None:
        if wanted == self._files.is_enabled:
            return
        if self._is_primary:  # in a guest the file concerns only the guest
            if not wanted:
                self._xenoprof.stop()
            elif self._buffer.is_open:
                self._xenoprof.start()
            else:
                raise OprofilefsError(EINVAL, "start the daemon first")
        if wanted:
            self._buffer.restart_stats()
        self._files.is_enabled = wanted

    def _listed(self, name: str, value: str) -> str:
        """Set one of Xen's lists and return its ids, if this domain may set it now."""
        xenoprof = self._xenoprof
        is_active = name == "active_domains"
        reset = xenoprof.reset_active_list if is_active else xenoprof.reset_passive_list
        if self._is_primary:
            xenoprof.init(0)
        is_ours = self._is_primary and xenoprof.is_idle
        try:
            if is_ours:
                reset()
            domids = domain_ids(value, MAX_DOMAINS)
            if not self._is_primary:  # accepted and ignored, as in the real driver
                return ""
            for domid in [*domids, *([] if 0 in domids or not is_active else [0])]:
                self._set_domain(domid, is_active=is_active)
        except OprofilefsError as error:
            if is_ours:
                reset()
            raise OprofilefsError(EINVAL, f"{name}: {error}") from None
        return " ".join(map(str, domids))

    def _set_domain(self, domid: int, *, is_active: bool) -> None:
        domain = self._domains.get(domid)
        if domain is None:
            raise OprofilefsError(EINVAL, f"there is no domain {domid}")
        if is_active and domain.kind == "hvm":
            raise OprofilefsError(EINVAL, f"domain {domid} is HVM and can only be passive")
        if is_active:
            self._xenoprof.set_active(domid)
        elif domid:
            self._xenoprof.set_passive(domain)
        else:
            raise OprofilefsError(EINVAL, "domain 0 cannot be passive")

    # The daemon's side

    def open_buffer(self) -> None:
        """Open /dev/oprofile/buffer (see `host.OprofileDriver`)."""
        if self._buffer.is_open:
            raise OprofilefsError(EBUSY, "the buffer is open already: one daemon a domain")
        xenoprof, domid = self._xenoprof, self._domain.domid
        xenoprof.init(domid)
        depth = self._files.backtrace_depth
        if depth:
            self._buffer.expect_stacks()
        xenoprof.set_backtrace(domid, depth)
        xenoprof.get_buffer(self._domain)
        if self._is_primary:
            self._set_up_counters()
        xenoprof.enable_virq(self._domain)
        self._buffer.open()
        xenoprof.attach_reader(domid, self)

    def close_buffer(self) -> None:
        """Close the buffer; like the real driver, ignore refusals of the hypervisor.

        This disables profiling first, as the kernel does when a daemon dies.
        """
        if not self._buffer.is_open:
            return
        self._enable(wanted=False)
        self._guest.execution.accounting.settle_all()  # samples taken until now are still read
        self._buffer.close()
        xenoprof, domid = self._xenoprof, self._domain.domid
        xenoprof.detach_reader(domid)
        xenoprof.set_backtrace(domid, 0)
        with suppress(OprofilefsError):
            xenoprof.disable_virq(domid)
        if self._is_primary:
            with suppress(OprofilefsError):
                xenoprof.release_counters()

    def _set_up_counters(self) -> None:
        xenoprof = self._xenoprof
        if not xenoprof.is_listed(0):  # no list has been written since the last session
            xenoprof.reset_active_list()
            xenoprof.set_active(0)
        xenoprof.reserve_counters()
        for index, files in sorted(self._files.counters.items()):
            if files.enabled:
                config = CounterConfig(
                    files.event, files.unit_mask, files.count, bool(files.kernel),
                    bool(files.user), self._files.event_names.get(index, f"counter_{index}"),
                )  # fmt: skip
                xenoprof.counter(index, config)
        xenoprof.setup_events()

    def read_buffer(self) -> Sequence[Samples]:
        """Return the samples that the daemon has processed since the last call."""
        return self._buffer.read()

    def pending(self) -> int:
        """Return the number of samples that the driver or the daemon has not processed yet."""
        return self._buffer.pending()

    def losses(self) -> Mapping[str, int]:
        """Return the number of samples that the driver has lost since it was loaded, by reason."""
        return self._buffer.losses()

    def stack(self, stack_id: int) -> "CallStack":
        """Return a stack of this domain's samples."""
        return self._xenoprof.stack(stack_id)

    def modules(self) -> Sequence[Module]:
        """Return /proc/modules."""
        return self._modules

    def tasks(self) -> Mapping[int, Task]:
        """Return every task that ever ran, by tgid."""
        return self._guest.tasks

    # Samples

    def virq(self, vcpu: Vcpu, virqs: int, rows: list[SampleRow]) -> None:
        """Take `rows` and the ring's samples; domain 0 also takes those of passive domains."""
        self._domain.virqs += virqs
        path, cycles_q = self._virq_parts
        owe(vcpu, path, cycles_q * virqs)
        buffer, vcpu_id = self._buffer, vcpu.vcpu_id
        buffer.add(vcpu_id, self._xenoprof.take_ring(vcpu) + rows)
        if self._is_primary:
            # Samples that do not fit stay in the rings for later.
            while buffer.room(vcpu_id) >= SWITCH_ENTRIES:
                passive = self._xenoprof.take_passive()
                if not passive:
                    break
                buffer.add(vcpu_id, passive)
