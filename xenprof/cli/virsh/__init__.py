"""virsh: libvirt's shell on the domains of the running service; one file per group of commands."""

from xenprof.cli.virsh.program import main

__all__ = ["main"]
