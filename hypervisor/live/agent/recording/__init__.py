"""Programs that record into a file for a while."""
