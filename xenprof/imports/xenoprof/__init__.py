"""What others captured on a real host, brought into the store by the path that the model uses."""
