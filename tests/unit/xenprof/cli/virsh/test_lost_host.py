"""virsh on a host of which the service knows nothing now."""

import pytest

from tests.support.talk_host import LOST

TOLD = "error: nothing is known of grumble: the service gets no data from it"


@pytest.mark.parametrize("words", [["list"], ["dominfo", "Domain-0"], ["nodeinfo"], ["version"]])
def test_a_host_that_cannot_be_read_is_no_host_without_domains(virsh, service, words):
    service.hosts = [LOST]
    code, out, error = virsh(*words)

    assert (1, "", TOLD) == (code, out.strip(), error.strip())
