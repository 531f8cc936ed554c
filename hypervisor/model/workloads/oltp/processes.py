"""Oracle's way: a process for each session, the log and the writer, scheduled by the kernel."""

from hypervisor.model.codebook.work import TaskIdentity
from hypervisor.model.workloads.base import Site
from hypervisor.model.workloads.oltp.runner import Runnable


class Processes:
    """Lets each run in its own process."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def ready(self, one: Runnable) -> None:
        """Make its process runnable."""
        task = one.task
        if task is not None and not self._site.domain.dying:
            self._site.guest.run(one.work(task))

    def freed(self, task: TaskIdentity) -> None:
        """Let the process sleep."""
