"""Runs what opcontrol controls: a daemon for each domain, and the state across domains.

`sessions` is the state machine. The values that programs and service exchange are in
`xenprof.wire.opcontrol`.
"""
