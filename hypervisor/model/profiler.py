"""The profiler of a simulated host: its domains' drivers and images."""

from collections.abc import Mapping, Sequence

from hypervisor.domainfile import DomainFile
from hypervisor.errors import Refused
from hypervisor.host import OprofileDriver
from hypervisor.model.codebook.images import Role
from hypervisor.model.hypercalls import Hypercalls
from hypervisor.toolstack.xendcontext import XendContext


class Xenoprofiler:
    """Finds the drivers and images of domains by xend's names for them (see `host.Profiler`)."""

    def __init__(self, hypercalls: Hypercalls, context: XendContext) -> None:
        self._hypercalls = hypercalls
        self._context = context

    def oprofile(self, domain: str) -> OprofileDriver:
        """Return a domain's driver. Raises: UnknownDomain, Refused."""
        info = self._context.find(domain)
        driver = self._hypercalls.residents[info.domid].driver
        if driver is None:
            raise Refused(
                f"Domain '{info.name}' is fully virtualized and has no Xenoprof driver: "
                "profile it as a passive domain from Domain-0"
            )
        return driver

    def domain_files(self, domain: str) -> Sequence[DomainFile]:
        """Return the images of a domain."""
        info = self._context.find(domain)
        role: Role = "hvm" if info.spec.kind == "hvm" else "guest" if info.domid else "dom0"
        return self._hypercalls.code.files(role)

    def count_samples(self, domid: int, lost: Mapping[str, int]) -> None:
        """Add losses above the driver to the host's lost counts."""
        self._hypercalls.ledger.count(domid, lost)
