"""What domain 0 does for the host besides the backends."""
