import socket

from xenprof.service.home_lock import listen_on_address


def test_an_answer_is_sent_at_once_since_asyncio_sees_that_the_listener_is_tcp():
    with listen_on_address("127.0.0.1:0") as listener:
        assert socket.IPPROTO_TCP == listener.proto
