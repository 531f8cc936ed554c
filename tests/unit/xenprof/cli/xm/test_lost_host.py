"""xm on a host of which the service knows nothing now."""

import pytest

from tests.support.talk_host import LOST

TOLD = "Error: nothing is known of grumble: the service gets no data from it\n"


@pytest.mark.parametrize(
    "words", [["list"], ["list", "Domain-0"], ["vcpu-list"], ["info"], ["uptime"], ["domid", "x"]]
)
def test_a_host_that_cannot_be_read_is_no_host_without_domains(xm, words):
    code, out, error = xm(*words, hosts=[LOST], info={})

    assert (1, TOLD, False) == (code, error, "Name" in out)
