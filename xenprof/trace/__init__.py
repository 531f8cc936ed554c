"""Reads and writes trace files of two formats, and evaluates their records."""
