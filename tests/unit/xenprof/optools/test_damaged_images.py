"""Images with random damage: the programs print error lines, never a traceback."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.compiled_sessions import FIXTURES, write_domain
from tests.support.known_sessions import MTIME
from xenprof.cli import opannotate, oparchive, opgprof

DEMO = (FIXTURES / "demo").read_bytes()
FLIPS = st.lists(
    st.tuples(st.integers(0, len(DEMO) - 1), st.integers(0, 255)), min_size=1, max_size=12
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("home")
    write_domain(path / "domains" / "Domain-0")
    return path


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(flips=FLIPS, length=st.sampled_from([len(DEMO), 5000, 200]))
def test_no_damage_ends_in_a_traceback(home, capsysbinary, monkeypatch, flips, length) -> None:
    monkeypatch.setenv("XENPROF_HOME", str(home))
    data = bytearray(DEMO)
    for place, value in flips:
        data[place] = value
    image = home / "domains/Domain-0/usr/bin/demo"
    image.write_bytes(data[:length])
    os.utime(image, (MTIME, MTIME))
    codes = [
        opannotate.main(["-a"]),
        opannotate.main(["-as"]),
        opannotate.main(["-s"]),
        opgprof.main(["-o", str(home / "gmon.out"), "session:calls"]),
        oparchive.main(["-o", str(home / "archive")]),
    ]
    capsysbinary.readouterr()  # names have the bytes of the image, which need be no UTF-8
    assert set(codes) <= {0, 1}
