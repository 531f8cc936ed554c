"""The code of hypervisor, kernels and programs: its costs, addresses and callers."""
