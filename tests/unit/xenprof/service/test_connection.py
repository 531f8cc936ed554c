import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState

from xenprof.service.connection import Connection
from xenprof.service.limits import Patience

PATIENCE = Patience(head=30, body=30, answer=30)


class Unread(asyncio.Transport):
    """What a client has not taken yet of an answer."""

    def __init__(self, unsent_bytes: int) -> None:
        super().__init__()
        self.unsent_bytes = unsent_bytes

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes


@pytest.fixture
def connection():
    config = uvicorn.Config(
        lambda: None, http=Connection, ws="none", lifespan="off", log_config=None
    )
    config.load()
    loop = asyncio.new_event_loop()
    connection = Connection(config, ServerState(), {}, loop)
    connection.transport = Unread(100)
    yield connection
    loop.close()


def test_a_client_that_takes_nothing_for_two_looks_is_idle(connection):
    seen = []
    for _ in range(2):
        connection.tend(PATIENCE)
        seen.append(connection.is_idle)

    assert seen == [False, True]


def test_a_client_that_reads_slowly_is_not_idle_right_after_a_look(connection):
    seen = []
    for left in (90, 80, 70):
        connection.transport.unsent_bytes = left
        connection.tend(PATIENCE)
        seen.append(connection.is_idle)

    assert seen == [False, False, False]
