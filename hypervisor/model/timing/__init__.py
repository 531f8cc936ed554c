"""The model's clock, and its named streams of random numbers."""
