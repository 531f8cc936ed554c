"""What domain 0 knows beside the hypervisor: xenstore, devices of guests, its own facts."""
