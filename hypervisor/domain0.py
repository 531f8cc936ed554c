"""Domain 0, the domain that Xen builds at boot and that manages the others: its name and id."""

from typing import Final

DOMAIN_0: Final = "Domain-0"
DOMAIN_0_ID: Final = 0
