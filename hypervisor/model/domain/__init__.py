"""Domains and processors as Xen keeps them, and what belongs to a domain."""
