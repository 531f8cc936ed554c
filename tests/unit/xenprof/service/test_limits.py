import resource

import pytest

from xenprof.service.limits import Patience, limits


@pytest.fixture
def files(monkeypatch):
    def may_be_open(count):
        monkeypatch.setattr(resource, "getrlimit", lambda which: (count, count))

    return may_be_open


@pytest.mark.parametrize("count", [64, 256, 1024, 1 << 20, resource.RLIM_INFINITY])
def test_all_connections_leave_a_quarter_of_the_files_to_the_service(files, count):
    files(count)
    control, tcp = limits(Patience())

    assert control.places + tcp.places <= (3 * count // 4 if count > 0 else 768)


@pytest.mark.parametrize("count", [64, 256, 1024])
def test_one_address_has_a_quarter_of_the_places_of_tcp(files, count):
    files(count)
    tcp = limits(Patience())[1]

    assert tcp.places_per_address * 4 == tcp.places


def test_local_programs_have_all_places_of_the_control_socket(files):
    files(1024)
    control = limits(Patience())[0]

    assert (control.places, control.places_per_address) == (128, 128)
