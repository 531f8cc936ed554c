"""What an agent is to the Linux that it runs on: clocks, privileges, systemd, stderr."""
