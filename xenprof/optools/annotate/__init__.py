"""Annotates lines of source, and instructions, with their samples."""
