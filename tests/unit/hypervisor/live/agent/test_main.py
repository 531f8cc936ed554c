import io
import sys

import pytest

from hypervisor.live.agent.main import main
from tests.support.live.agent_parts import bare_report


class Host:
    """A host with a name that not every terminal has the letters of."""

    interface = "domctl 0x15, sysctl 0x15"

    def sample(self, hertz):
        pass

    def trace(self):
        pass

    def poll(self):
        return bare_report(problems=["several domains are called 'caf\u00e9'", "half \udc80"])

    def close(self):
        pass


@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", rb"'caf\xe9'"), ("utf-8", "'caf\u00e9'".encode())]
)
def test_what_the_output_has_no_letters_for_is_escaped(monkeypatch, encoding, shown):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding))
    main(["--check", "--web.listen-address", "127.0.0.1:0"], open_host=lambda root: Host())

    assert shown in written.getvalue()
