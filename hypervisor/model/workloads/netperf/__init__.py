"""netperf: streams, datagrams, and requests with their answers."""
