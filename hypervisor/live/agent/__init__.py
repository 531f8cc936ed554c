"""Reads a real Xen from its domain 0, with Python 3.6 and its standard library alone."""
