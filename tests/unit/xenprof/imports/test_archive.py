import subprocess
import sys
from pathlib import Path

import pytest

from xenprof.errors import StoreError, UsageError
from xenprof.imports.archive import archive_path, new_archives
from xenprof.report.sessions.places import place_at

KILLED = """
import os, signal, sys
from pathlib import Path
from xenprof.imports.archive import new_archives
with new_archives(Path(sys.argv[1])) as archives:
    archive = archives.begin("Domain-0")
    (archive.session.current / "{root}").mkdir()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def fill(output: Path, *domains: str) -> None:
    with new_archives(output) as archives:
        for domain in domains:
            archives.begin(domain).write_image("/boot/vmlinux", b"image", 7)


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_new_directory_has_all_its_archives_at_once(tmp_path):
    with new_archives(tmp_path / "out") as archives:
        archives.begin("Domain-0")
        before = visible(tmp_path)
    assert ([], ["Domain-0"]) == (before, visible(tmp_path / "out"))


def test_archives_come_into_a_directory_that_is_there(tmp_path):
    fill(tmp_path / "out", "a")
    fill(tmp_path / "out", "b")
    assert ["a", "b"] == sorted(path.name for path in (tmp_path / "out").iterdir())


@pytest.mark.parametrize("is_there", [True, False])
def test_nothing_is_left_of_an_import_that_failed(tmp_path, is_there):
    if is_there:
        (tmp_path / "out").mkdir()
    with pytest.raises(UsageError), new_archives(tmp_path / "out") as archives:
        archives.begin("a")
        raise UsageError("no")
    assert (["out"] if is_there else []) == [
        str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")
    ]


@pytest.mark.parametrize("is_there", [True, False])
def test_what_a_killed_import_leaves_is_no_archive(tmp_path, is_there):
    output = tmp_path / "out"
    if is_there:
        output.mkdir()
    subprocess.run([sys.executable, "-c", KILLED, output], check=False)
    assert (["out"] if is_there else []) == visible(tmp_path)
    with pytest.raises(UsageError, match="no session of samples is there"):
        place_at(output)


def test_messages_name_the_output_and_not_where_it_is_made(tmp_path):
    with pytest.raises(StoreError) as caught, new_archives(tmp_path / "out") as archives:
        path = archives.begin("a").root / "x"
        raise StoreError(str(path), f"{path}: broken")
    assert f"{tmp_path}/out/a/x: broken" == str(caught.value)


def test_an_image_of_two_domains_is_one_file(tmp_path):
    fill(tmp_path / "out", "a", "b")
    one, two = (tmp_path / "out" / name / "boot/vmlinux" for name in "ab")
    assert (True, b"image", 7) == (one.samefile(two), one.read_bytes(), one.stat().st_mtime)


def test_a_domain_called_domains_looks_like_no_home(tmp_path):
    assert "%64omains" == archive_path(tmp_path, "domains").name
