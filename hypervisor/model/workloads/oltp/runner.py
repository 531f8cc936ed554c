"""Who lets the parts of a database run: their own processes, or engines that take them in turns."""

from typing import Protocol

from hypervisor.model.codebook.work import AnyWork, TaskIdentity


class Runnable(Protocol):
    """A session, the log or the writer. `task` is its own process, if it has one."""

    task: TaskIdentity | None

    def work(self, task: TaskIdentity) -> AnyWork:
        """Return the next piece of work, which `task` executes; then that is freed."""
        ...


class Runner(Protocol):
    """What lets them run."""

    def ready(self, one: Runnable) -> None:
        """Let one run, as soon as may be; it is asked for its `work`."""
        ...

    def freed(self, task: TaskIdentity) -> None:
        """Take a task back, which has no more to do for what ran."""
        ...
