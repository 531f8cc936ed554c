"""What opcontrol drives: daemons per domain, and the state across domains.

`setup` holds the plain values that programs and service exchange and imports nothing heavy;
`sessions` is the state machine itself.
"""
