"""A shared ring: request and response indices of a frontend and its backend.

A side that goes to sleep sets the index at which it wants a notification (`*_event`); a producer
notifies only when it passes that index, so that a batch needs one notification or none.
Source: xen/include/public/io/ring.h (RING_PUSH_*_AND_CHECK_NOTIFY, RING_FINAL_CHECK_*).
"""


class SharedRing:
    """Holds the indices only; the two drivers keep the contents of the slots."""

    __slots__ = ("req_cons", "req_event", "req_prod", "rsp_cons", "rsp_event", "rsp_prod", "size")

    def __init__(self, size: int) -> None:
        """`size` is the number of slots, a power of two."""
        self.size = size
        self.req_prod = self.req_cons = self.rsp_prod = self.rsp_cons = 0
        self.req_event = self.rsp_event = 1

    @property
    def free(self) -> int:
        """Return the number of requests that the frontend may still push."""
        return self.size - (self.req_prod - self.rsp_cons)

    @property
    def in_flight(self) -> int:
        """Return the number of requests that the backend has taken and not answered yet."""
        return self.req_cons - self.rsp_prod

    def push_requests(self, count: int) -> bool:
        """Publish `count` requests; return whether the backend must be notified."""
        assert 0 <= count <= self.free
        self.req_prod += count
        return 0 <= self.req_prod - self.req_event < count

    def take_requests(self, limit: int) -> int:
        """Consume up to `limit` requests; return their number."""
        count = min(self.req_prod - self.req_cons, limit)
        self.req_cons += count
        return count

    def await_requests(self) -> bool:
        """Ask for a notification of the next request; return whether there are requests already."""
        self.req_event = self.req_cons + 1
        return self.req_prod > self.req_cons

    def push_responses(self, count: int) -> bool:
        """Publish `count` responses; return whether the frontend must be notified."""
        assert 0 <= count <= self.in_flight
        self.rsp_prod += count
        return 0 <= self.rsp_prod - self.rsp_event < count

    def take_responses(self) -> int:
        """Consume all responses, ask for a notification of the next, and return their number."""
        count = self.rsp_prod - self.rsp_cons
        self.rsp_cons = self.rsp_prod
        self.rsp_event = self.rsp_cons + 1
        return count
