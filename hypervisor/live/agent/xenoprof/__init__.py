"""Drives Xenoprof, the profiler that Xen had up to 4.21, from domain 0's user space."""
