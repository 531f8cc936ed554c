"""Networks: split drivers and the hardware under them; the devices of a domain."""
