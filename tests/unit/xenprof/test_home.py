import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervisor.errors import UnknownDomain
from xenprof.home import (
    domain_names,
    domain_root,
    home,
    inside,
    note_domain_names,
    resolve_domain,
)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XENPROF_HOME": "/x", "XDG_STATE_HOME": "/s", "HOME": "/h"}, "/x"),
        ({"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/xenprof"),
        ({"HOME": "/h"}, "/h/.local/state/xenprof"),
    ],
)
def test_home_is_the_first_of_three_places(environment, expected, monkeypatch):
    for name in ("XENPROF_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert str(home()) == expected


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8")))
def test_a_domains_directory_is_its_own_whatever_its_name(name, other):
    root = domain_root(Path("/home"), name)
    assert root.parent == Path("/home/domains")
    assert root.name not in ("", ".", "..", ".ids")
    assert (root == domain_root(Path("/home"), other)) == (name == other)


def test_an_id_stands_for_the_name_that_the_service_wrote(tmp_path):
    (tmp_path / "domains").mkdir()
    (tmp_path / "domains" / ".ids").write_text(json.dumps({"3": "rhel5pvtest"}))
    assert resolve_domain(tmp_path, "3") == "rhel5pvtest"


def test_a_numeric_name_is_a_name_when_no_domain_has_that_id(tmp_path):
    domain_root(tmp_path, "2007").mkdir(parents=True)
    assert resolve_domain(tmp_path, "2007") == "2007"


@pytest.mark.parametrize("ids", [None, "[]", "{", '{"4": "x"}'])
def test_an_unknown_id_is_refused_in_xms_words(ids, tmp_path):
    (tmp_path / "domains").mkdir()
    if ids is not None:
        (tmp_path / "domains" / ".ids").write_text(ids)
    with pytest.raises(UnknownDomain) as caught:
        resolve_domain(tmp_path, "3")
    assert str(caught.value) == "Domain '3' does not exist."


def test_names_of_domains_are_noted_and_read_back(tmp_path):
    names = {3: "rhel5pvtest", 10: "web/1"}
    note_domain_names(tmp_path, names)
    assert (names, [".ids"]) == (domain_names(tmp_path), [path.name for path in tmp_path.iterdir()])


@pytest.mark.parametrize("path", ["/var/../../../etc", "../../etc", "etc", "//etc/."])
def test_a_path_of_a_domain_stays_in_its_root(path):
    assert Path("/home/domains/a/etc") == inside(Path("/home/domains/a"), path)
