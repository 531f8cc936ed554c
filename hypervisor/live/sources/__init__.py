"""Where the reports of real hosts come from: this domain 0, an agent's socket or URL, ssh."""
