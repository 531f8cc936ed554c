"""Reads the hypervisor's trace buffers, and completes reports from them."""
