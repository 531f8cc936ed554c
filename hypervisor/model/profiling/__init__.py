"""Xenoprof: counters, samples, rings, and the driver in each guest."""
