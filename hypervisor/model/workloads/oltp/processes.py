"""Oracle's way: a process for each session, scheduled by the kernel."""

from hypervisor.model.codebook.work import TaskIdentity
from hypervisor.model.workloads.base import Site
from hypervisor.model.workloads.oltp.session import Session


class Processes:
    """Lets each session run in its own process."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def ready(self, session: Session) -> None:
        """Make the session's process runnable."""
        task = session.task
        if task is not None and not self._site.domain.dying:
            self._site.guest.run(session.work(task))

    def freed(self, task: TaskIdentity) -> None:
        """Let the process sleep."""
