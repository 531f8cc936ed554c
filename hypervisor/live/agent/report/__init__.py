"""What one poll of a host finds, which agents send and services read."""
