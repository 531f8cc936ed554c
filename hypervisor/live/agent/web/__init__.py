"""Serves who connects: addresses, TLS, passwords, HTTP."""
