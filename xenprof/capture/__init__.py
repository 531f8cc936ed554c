"""Makes scenarios of hosts: what was seen of a host, fitted to what the model can do."""
