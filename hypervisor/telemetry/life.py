"""Names what tells apart the lives of domains."""

Life = tuple[int, str | None]
"""The id and the uuid of a domain; the uuid is None where the host does not know it.

Names, uuids and in the end ids return, but not the same id with the same uuid.
"""
