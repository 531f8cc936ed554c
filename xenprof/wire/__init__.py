"""What programs and the service say to each other: records, and how they become JSON and back.

No numpy, no pydantic: programs that must start fast import these modules.
"""
