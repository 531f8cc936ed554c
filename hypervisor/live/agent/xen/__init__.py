"""Asks the hypervisor: the device for hypercalls, and what is asked through it."""
