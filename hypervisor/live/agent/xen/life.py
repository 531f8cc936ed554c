"""Tells lives of domains apart: the number of one that has gone is given again."""

from typing import Tuple

Life = Tuple[int, str]
"""The domid and uuid of one domain."""

VcpuOfLife = Tuple[int, str, int]
"""The domid and uuid of a domain, and the number of a vcpu of it."""
