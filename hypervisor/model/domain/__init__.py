"""Domains and processors as Xen keeps them, and a domain's parts."""
