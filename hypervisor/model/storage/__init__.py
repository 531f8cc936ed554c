"""Disks: split drivers, queues, what stores the data."""
