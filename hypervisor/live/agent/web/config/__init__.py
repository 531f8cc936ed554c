"""Reads the file that says how an agent may be reached: web configuration, in plain YAML."""
