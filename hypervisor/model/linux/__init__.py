"""A guest's Linux kernel as others see it: xenbus, /proc, boot messages."""
