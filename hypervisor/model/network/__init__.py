"""Disks and networks: split drivers, rings, and the hardware under them."""
