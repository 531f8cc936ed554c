"""Domain 0, the domain that Xen builds at boot and that manages the others: its name and id."""

DOMAIN_0 = "Domain-0"
DOMAIN_0_ID = 0
