"""Adds kinds of panels, targets, variables and annotations to grafana-dashboard-builder.

The builder makes every subclass of its item classes a YAML kind (`Timeseries`: `timeseries`), so
this package must be imported before definitions are loaded. Kinds describe Grafana's current panels
with few keys: `unit`, `stack`, `thresholds`; only this package knows the structure of options.
"""
