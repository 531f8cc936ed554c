"""Memory of the host and of guests: pages, balloon, paging, swap."""
