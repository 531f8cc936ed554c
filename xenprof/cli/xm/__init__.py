"""xm: manages the domains of the running service, as Xen 3.0.3's program of that name."""

from xenprof.cli.xm.program import main

__all__ = ["main"]
