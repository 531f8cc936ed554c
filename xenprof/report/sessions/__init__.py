"""Reads the sessions of all domains of a host as one stack profile."""
