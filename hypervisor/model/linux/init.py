"""Ends a guest from the inside: init stops the services, then the kernel ends the machine.

A fully virtualized guest ends it by its emulated hardware: qemu-dm tells Xen that it has powered
off or reboots.
Source: tools/ioemu/target-i386-dm/helper2.c (cpu_reset, destroy_hvm_domain).
"""

from hypervisor.model.codebook.work import Work
from hypervisor.model.cpu.guest import Guest
from hypervisor.model.domain.domain import End
from hypervisor.shutdown import HALT, POWEROFF, REBOOT

# init stops services one by one, mostly sleeping (judgement, after a plain RHEL 5).
STOPPING_NS = 4_000_000_000
# Twenty services with three shells each (judgement); a shell takes 4.8 ms at 2.4 GHz (Barham,
# table 3).
STOPPING_KILOCYCLES = 20 * 3 * 11_520
SHELL = "/bin/bash"


class Init:
    """The first process of a guest, as far as it ends it."""

    def __init__(self, guest: Guest, end: End) -> None:
        self._guest = guest
        self._domain = guest.domain
        self._end = end
        self._is_ending = False

    def stop(self, reason: int) -> None:
        """Stop all services and end the domain; further requests are ignored."""
        if self._is_ending:
            return
        self._is_ending = True
        level = 6 if reason == REBOOT else 0
        self._domain.console.write(f"INIT: Switching to runlevel: {level}")
        self._domain.console.write("INIT: Sending processes the TERM signal")
        parts = self._guest.parts(("init_scripts", STOPPING_KILOCYCLES))
        shell = self._guest.spawn(SHELL)[0]
        self._guest.run(Work(parts, self._stopping, reason, task=shell))

    def _stopping(self, work: Work[int]) -> None:
        clock = self._guest.execution.clock
        clock.schedule(clock.now + STOPPING_NS, self._stopped, work.arg)

    def _stopped(self, reason: int) -> None:
        if self._domain.dying:
            return
        parts = self._guest.parts(("syscall", 1000))
        self._guest.interrupt(0, Work(parts, self._last, reason))

    def _last(self, work: Work[int]) -> None:
        reason = work.arg
        self._domain.console.write("Restarting system." if reason == REBOOT else "System halted.")
        # Red Hat's halt powers a machine off, which is all that qemu-dm could tell.
        self._end(self._domain, POWEROFF if reason == HALT and self._domain.is_hvm else reason)
