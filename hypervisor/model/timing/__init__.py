"""Time and chance of the model: its clock, and named streams of random numbers."""
