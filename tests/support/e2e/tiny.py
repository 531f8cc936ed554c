"""The smallest host with work on it: one processor, and a guest that computes all the time."""

TINY = """
[host]
name = "tiny"
sockets = 1
threads_per_core = 1
cpu = "p4"
memory_mib = 1024

[domain0]
vcpus = 1
memory_mib = 256

[[domain]]
name = "busy"
memory_mib = 128

  [[domain.workload]]
  kind = "cpu"
"""
