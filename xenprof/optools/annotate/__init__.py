"""Annotation: samples beside the lines of source, and beside instructions."""
