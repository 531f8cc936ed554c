"""What a guest's kernel answers and shows: xenbus, /proc, boot messages."""
