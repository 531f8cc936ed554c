"""Trace files: the codecs of two formats, and what can be read off their records."""
