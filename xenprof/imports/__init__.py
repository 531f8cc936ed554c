"""Profiles of other tools, brought in: perf's text, folded stacks, pprof -> archives."""
