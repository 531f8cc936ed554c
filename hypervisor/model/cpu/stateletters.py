"""Shows the state of a domain in letters."""

from hypervisor.model.domain.domain import Domain
from hypervisor.model.domain.runstate import BLOCKED, RUNNING


def state_letters(domain: Domain) -> str:
    """Return `rbpscd`, with a dash for each letter that does not apply."""
    online = [vcpu for vcpu in domain.vcpus if vcpu.online]
    is_up = domain.shutdown_reason is None and not domain.dying
    # r: a vcpu is on a pcpu; domain 0 always runs, as the tool that asks runs in it.
    running = is_up and (
        domain.domid == 0 or any(vcpu.runstate.state == RUNNING for vcpu in online)
    )
    blocked = not running and all(vcpu.runstate.state == BLOCKED for vcpu in online)
    holds = (
        running,
        blocked and not domain.pause_count,
        domain.pause_count > 0,
        domain.shutdown_reason is not None and not domain.crashed,
        domain.crashed,
        domain.dying,
    )
    return "".join(
        letter if is_set else "-" for letter, is_set in zip("rbpscd", holds, strict=True)
    )
