"""Gives the advice of the Summit talk for one host, and measures in the model what it brings."""
