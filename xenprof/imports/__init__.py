"""Turns profiles of other tools (perf's text, folded stacks, pprof) into archives."""
