from dataclasses import replace

import pytest

from tests.support.talk_host import HOST, FakeClient
from xenprof.client import ServiceError
from xenprof.xentop.fetch import newest


def test_the_newest_snapshot_is_that_of_the_service():
    assert HOST == newest(FakeClient(hosts=[HOST]))


def test_a_host_that_cannot_be_read_has_no_snapshot():
    gone = replace(HOST, domains=(), is_up=False)

    with pytest.raises(ServiceError, match="nothing is known of grumble: the service gets no data"):
        newest(FakeClient(hosts=[gone]))


def test_why_a_host_cannot_be_read_is_told():
    gone = replace(HOST, domains=(), is_up=False, unread_because="Connection refused")

    with pytest.raises(ServiceError, match=r"gets no data from it: Connection refused$"):
        newest(FakeClient(hosts=[gone]))


def test_one_of_several_hosts_is_asked_for_by_its_name():
    client = FakeClient(**{"snapshot?host=a%20b%26": replace(HOST, host="a b&")})

    assert "a b&" == newest(client, "a b&").host
