"""virsh on a host that knows only names and running times."""

import pytest

from tests.support.sparse_host import sparse

DOMINFO = """\
Id:             1
Name:           web
UUID:           -
OS Type:        -
State:          -
CPU(s):         -
CPU time:       2.5s
Max memory:     -
Used memory:    -

"""
LIST = """\
 Id Name                 State
----------------------------------
  0 Domain-0             running
  1 web                  -
  2 db                   -

"""


@pytest.fixture(autouse=True)
def sparse_service(service):
    service.hosts = [sparse()]


@pytest.mark.parametrize(("words", "out"), [(["list"], LIST), (["dominfo", "web"], DOMINFO)])
def test_what_is_unknown_is_a_dash(virsh, words, out):
    assert (0, out, "") == virsh(*words)


def test_the_version_of_a_hypervisor_that_does_not_tell_it_is_libvirts_sentence(virsh):
    _, out, _ = virsh("version")

    assert "Cannot extract running Xen hypervisor version" in out.splitlines()


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("domuuid", "error: this host does not know the uuids of its domains"),
        ("vcpuinfo", "error: this host does not know the vcpus of its domains"),
    ],
)
def test_a_command_that_needs_what_is_unknown_says_so_in_one_line(virsh, command, line):
    assert (1, line + "\n") == virsh(command, "web")[::2]
