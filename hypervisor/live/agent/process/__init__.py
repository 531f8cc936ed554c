"""What an agent is to the Linux that it runs on: clocks, memory, privileges, systemd, stderr."""
