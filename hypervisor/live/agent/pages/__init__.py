"""Answers requests with what was read last: metrics, the report, health."""
