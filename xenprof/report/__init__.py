"""Makes reports on all domains at once: sessions, views of them, formats."""
