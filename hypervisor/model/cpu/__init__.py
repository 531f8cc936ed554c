"""Runs vcpus on pcpus: execution, the schedulers, and the guest kernel's own scheduling."""
