"""Runs the hot rooms of the model as machine code, where they have been compiled.

The sources stay the only implementation: mypyc compiles the very files that run without it.
"""
