"""The records that programs and the service exchange, and their conversion to JSON and back.

These modules use neither numpy nor pydantic, because programs that must start fast import them.
"""
