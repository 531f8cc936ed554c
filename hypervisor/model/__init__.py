"""A model of a Xen host: hypervisor, domain 0, guests and their devices."""

from hypervisor.compiled.engine import install

install()
