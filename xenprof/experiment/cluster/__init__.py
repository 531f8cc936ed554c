"""Gets runs done: by worker processes of this machine, or by those of a scheduler elsewhere."""
